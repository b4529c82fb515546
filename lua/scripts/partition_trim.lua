#!lua
-- Trims what is dealt with: applied inbox entries, commands below the oldest one that is undelivered or pending in
-- the service's group, and old outcomes. Never by length: nothing that anybody still needs is below the bounds.
--
-- KEYS[1] state: hash, the partition's state
-- KEYS[2] reply: stream, inbound
-- KEYS[3] control: stream, inbound
-- KEYS[4] intake: stream, inbound
-- KEYS[5] outcome: stream
-- KEYS[6…] commands: stream, of the services
-- ARGV[1] owner: the taking's random text
-- ARGV[2] epoch: decimal
-- ARGV[3] reply: stream id, applied and committed up to here
-- ARGV[4] control: stream id, likewise
-- ARGV[5] intake: stream id, likewise
-- ARGV[6] outcomes: stream id, older outcomes go
-- ARGV[7…] services: the consumer group's name for each command stream
--
-- Returns: {'ok', now}; {'fenced'}
-- Repeat: harmless, the bounds are computed anew.
-- Complexity: O(entries trimmed + services)
--!include clock
--!include fence
local state = KEYS[1]
local owner, epoch = ARGV[1], ARGV[2]
local first_stream, first_service = 5, 6

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
local bounds = {}
for stream = 2, 5 do
    redis.call('XLEN', KEYS[stream])
end
for index = 1, #KEYS - first_stream do
    bounds[index] = bound(KEYS[first_stream + index], ARGV[first_service + index]) or false
end

redis.call('XTRIM', KEYS[2], 'MINID', ARGV[3])
redis.call('XTRIM', KEYS[3], 'MINID', ARGV[4])
redis.call('XTRIM', KEYS[4], 'MINID', ARGV[5])
redis.call('XTRIM', KEYS[5], 'MINID', ARGV[6])
for index, id in ipairs(bounds) do
    if id then
        redis.call('XTRIM', KEYS[first_stream + index], 'MINID', id)
    end
end
return {'ok', text(clock(last))}
