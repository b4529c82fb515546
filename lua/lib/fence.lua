-- The fencing check: whether the caller still owns the partition. Reads only.
-- Returns the stored commit sequence and clock, or nothing where the epoch or the owner is another one.
local function fence(state, owner, epoch)
    local held = redis.call('HMGET', state, 'owner', 'epoch', 'sequence', 'clock')
    if held[1] ~= owner or held[2] ~= epoch then
        return nil
    end
    return held[3] or '0', held[4]
end
