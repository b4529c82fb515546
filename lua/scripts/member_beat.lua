#!lua flags=allow-oom
-- Says that an orchestrator runs, and asks which others do. Judged by the server's clock; a member that is missing here
-- loses its even share of the partitions, and nothing else. Works on a full server too.
--
-- KEYS[1] members: hash, of each orchestrator by its instance: 'AT LEASE PHASE HELD OFFER NAME'
-- ARGV[1] instance: random text, new for each process
-- ARGV[2] phase: 'joining' with the first heartbeat, which forgets others of the same name; 'present'; 'leaving'; or
--     'gone', which forgets the caller
-- ARGV[3] lease: decimal, milliseconds without a heartbeat after which it doesn't count any more
-- ARGV[4] held: decimal, how many partitions it holds
-- ARGV[5] offer: decimal, the partition that it is about to give up, or '-'
-- ARGV[6] name: the orchestrator's name, for people
--
-- Returns: {'ok', and for each member that counts its instance, age in milliseconds, lease, phase, held, offer, name}
-- Repeat: harmless, a later sign of life.
-- Complexity: O(members)
--!include clock
local members = KEYS[1]
local instance, phase, lease, held, offer, name = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]

-- Leases after which one without a heartbeat is forgotten; until then, people can see that it is gone.
local memory = 20
local now = clock(false)
local answer, forgotten = {'ok'}, {}
local fields = redis.call('HGETALL', members)
for field = 1, #fields, 2 do
    local other = fields[field]
    local at, its_lease, its_phase, its_held, its_offer, its_name =
        string.match(fields[field + 1], '^(%d+) (%d+) (%a+) (%d+) ([%d-]+) (.*)$')
    local age = now - (tonumber(at or '0') or 0)
    local limit = tonumber(its_lease or '0') or 0
    -- One from the future was written before the clock fell back: its sender says so anew.
    if age > limit * memory or -age > limit or (phase == 'joining' and its_name == name) then
        forgotten[#forgotten + 1] = other
    elseif other ~= instance and age <= limit then
        for _, value in ipairs({other, text(math.max(0, age)), its_lease, its_phase, its_held, its_offer, its_name}) do
            answer[#answer + 1] = value
        end
    end
end
if phase == 'gone' then
    forgotten[#forgotten + 1] = instance
else
    for _, value in ipairs({instance, '0', lease, phase, held, offer, name}) do
        answer[#answer + 1] = value
    end
end

-- Writes.
for _, other in ipairs(forgotten) do
    redis.call('HDEL', members, other)
end
if phase ~= 'gone' then
    redis.call('HSET', members, instance, text(now) .. ' ' .. lease .. ' ' .. phase .. ' ' .. held .. ' ' .. offer
        .. ' ' .. name)
end
return answer
