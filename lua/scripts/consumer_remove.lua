#!lua flags=allow-oom
-- Removes consumers that are gone from the groups of services: those that hold no command and have not asked for any for
-- a long time. One that holds a command stays, however long it has been away: its commands would go with it. One that is
-- alive is made anew by its next read, and misses nothing, even where it waits in a blocking read meanwhile.
--
-- KEYS[1] state: hash, the partition's state
-- KEYS[2…] streams: stream, the commands of the services
-- ARGV[1] owner: the taking's random text
-- ARGV[2] epoch: decimal
-- ARGV[3] idle: decimal, milliseconds since a consumer last asked, from which on it is gone
-- ARGV[4] limit: decimal, the most consumers that one call removes
-- ARGV[5…] services: for each stream the name of its consumer group
--
-- Returns: {'ok', now}; {'fenced'}
-- Repeat: harmless.
-- Complexity: O(services + consumers)
--!include clock
--!include fence
--!include groups
local state = KEYS[1]
local owner, epoch, idle, limit = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local first_stream, first_service = 1, 4

local sequence, last = fence(state, owner, epoch)
if not sequence then
    return {'fenced'}
end
local gone = {}
for index = 1, #KEYS - first_stream do
    local stream, service = KEYS[first_stream + index], ARGV[first_service + index]
    if groups(stream)[service] then
        for _, info in ipairs(redis.call('XINFO', 'CONSUMERS', stream, service)) do
            local consumer = properties(info)
            if consumer['pending'] == 0 and consumer['idle'] >= idle and #gone < limit then
                gone[#gone + 1] = {stream, service, consumer['name']}
            end
        end
    end
end
local now = text(clock(last))

-- Writes.
for _, one in ipairs(gone) do
    redis.call('XGROUP', 'DELCONSUMER', one[1], one[2], one[3])
end
return {'ok', now}
