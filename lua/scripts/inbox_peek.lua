#!lua flags=no-writes
-- Finds the next entry of a stream without reading its fields, which may be too large to be sent.
--
-- KEYS[1] stream: stream, inbound
-- ARGV[1] position: stream id, the entry before
--
-- Returns: {id}, or {''} where there is no later entry
-- Repeat: harmless, reads only.
-- Complexity: O(size of the entry)
local stream = KEYS[1]
local position = ARGV[1]

local entries = redis.call('XRANGE', stream, '(' .. position, '+', 'COUNT', 1)
return {entries[1] and entries[1][1] or ''}
