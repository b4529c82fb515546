#!lua flags=allow-oom
-- Trims what is dealt with: applied inbox entries, commands below the oldest one that is undelivered or pending in
-- the service's group, and old outcomes. Never by length: nothing that anybody still needs is below the bounds. All of
-- them are read from the server itself: what the caller remembers as applied may be lost there since.
-- Works on a full server too, which needs it most.
--
-- KEYS[1] state: hash, the partition's state
-- KEYS[2] reply: stream, inbound
-- KEYS[3] control: stream, inbound
-- KEYS[4] intake: stream, inbound
-- KEYS[5] outcome: stream
-- KEYS[6…] commands: stream, of the services
-- ARGV[1] owner: the taking's random text
-- ARGV[2] epoch: decimal
-- ARGV[3] outcomes: stream id, older outcomes go
-- ARGV[4…] services: the consumer group's name for each command stream
--
-- Returns: {'ok', now}; {'fenced'}
-- Repeat: harmless, the bounds are computed anew.
-- Complexity: O(entries trimmed + services)
--!include clock
--!include fence
local state, reply, control, intake, outcome = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local owner, epoch, oldest_outcome = ARGV[1], ARGV[2], ARGV[3]
local first_stream, first_service = 5, 3

-- The id of the oldest entry that the group still needs, or nothing where there is no such group.
local function bound(stream, group)
    if redis.call('EXISTS', stream) == 0 then
        return nil
    end
    for _, info in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
        local properties = {}
        for field = 1, #info, 2 do
            properties[info[field]] = info[field + 1]
        end
        if properties['name'] == group then
            if properties['pending'] > 0 then
                return redis.call('XPENDING', stream, group)[2]
            end
            return properties['last-delivered-id']
        end
    end
    return nil
end

local sequence, last = fence(state, owner, epoch)
if not sequence then
    return {'fenced'}
end
local applied = redis.call('HMGET', state, 'reply', 'control', 'intake')
for _, stream in ipairs({reply, control, intake, outcome}) do
    redis.call('XLEN', stream)
end
local bounds = {}
for index = 1, #KEYS - first_stream do
    bounds[index] = bound(KEYS[first_stream + index], ARGV[first_service + index]) or false
end
local now = text(clock(last))

-- Writes.
redis.call('XTRIM', reply, 'MINID', applied[1] or '0-0')
redis.call('XTRIM', control, 'MINID', applied[2] or '0-0')
redis.call('XTRIM', intake, 'MINID', applied[3] or '0-0')
redis.call('XTRIM', outcome, 'MINID', oldest_outcome)
for index, id in ipairs(bounds) do
    if id then
        redis.call('XTRIM', KEYS[first_stream + index], 'MINID', id)
    end
end
return {'ok', now}
