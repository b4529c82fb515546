#!lua flags=no-writes
-- Looks at who holds a partition, and takes nothing.
--
-- KEYS[1] state: hash, the partition's state
--
-- Returns: {'free'} where nobody holds it; {'held', name, lease, mark, instance} while the holder's lease runs; or
--     {'expired', name, lease, mark, instance}
-- Repeat: harmless, reads only.
-- Complexity: O(1)
--!include clock
--!include holder
local state = KEYS[1]

local held = redis.call('HMGET', state, 'owner', 'name', 'until', 'lease', 'renewals', 'epoch', 'clock', 'instance')
if not held[1] or held[1] == '' then
    return {'free'}
end
local mark = mark_of(held[1], held[6], held[5])
if (tonumber(held[3] or '0') or 0) <= clock(held[7]) then
    return {'expired', held[2] or '', held[4] or '0', mark, held[8] or ''}
end
return {'held', held[2] or '', held[4] or '0', mark, held[8] or ''}
