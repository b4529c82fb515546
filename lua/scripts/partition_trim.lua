#!lua flags=allow-oom
-- Trims what is dealt with: applied inbox entries, commands below the oldest one that is undelivered or pending in
-- the service's group, events that all their readers are done with, and old outcomes. Never by length: nothing that
-- anybody still needs is below the bounds. All of them are read from the server itself: what the caller remembers as
-- applied may be lost there since.
-- Works on a full server too, which needs it most.
--
-- KEYS[1] state: hash, the partition's state
-- KEYS[2] reply: stream, inbound
-- KEYS[3] control: stream, inbound
-- KEYS[4] intake: stream, inbound
-- KEYS[5] outcome: stream
-- KEYS[6…] streams: stream, the commands of the services; then the events of the topics
-- ARGV[1] owner: the taking's random text
-- ARGV[2] epoch: decimal
-- ARGV[3] outcomes: stream id, older outcomes go
-- ARGV[4] events: stream id, older events of a topic without any reader go
-- ARGV[5] services: decimal, how many of KEYS are command streams
-- ARGV[6…] for each command stream the consumer group's name; for each event stream 'event:' and the topic's name where
--     definitions are triggered by it, so that the partition's owner is one of its readers, else empty
--
-- Returns: {'ok', now}; {'fenced'}
-- Repeat: harmless, the bounds are computed anew.
-- Complexity: O(entries trimmed + services + topics × groups)
--!include clock
--!include fence
--!include groups
--!include order
local state, reply, control, intake, outcome = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local owner, epoch, oldest_outcome, oldest_event, services = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local first_stream, first_name = 5, 5

-- For each consumer group by its name, the id of the oldest entry that it still needs.
local function needs(stream)
    local oldest = {}
    for name, group in pairs(groups(stream)) do
        if group['pending'] > 0 then
            oldest[name] = redis.call('XPENDING', stream, name)[2]
        else
            oldest[name] = group['last-delivered-id']
        end
    end
    return oldest
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
    local oldest, name = needs(KEYS[first_stream + index]), ARGV[first_name + index]
    local bound = false
    if index <= services then
        bound = oldest[name] or false
    else
        if name ~= '' then
            bound = redis.call('HGET', state, name) or '0-0'
        end
        for _, id in pairs(oldest) do
            if not bound or is_before(id, bound) then
                bound = id
            end
        end
        bound = bound or oldest_event
    end
    bounds[index] = bound
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
