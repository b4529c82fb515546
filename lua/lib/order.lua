-- Whether one stream id comes before another. Their numbers may be too large for Lua's, so they are compared as text.
local function is_before(one, other)
    local milliseconds, number = string.match(one, '^(%d+)-(%d+)$')
    local other_milliseconds, other_number = string.match(other, '^(%d+)-(%d+)$')
    if milliseconds == other_milliseconds then
        milliseconds, other_milliseconds = number, other_number
    end
    if #milliseconds ~= #other_milliseconds then
        return #milliseconds < #other_milliseconds
    end
    return milliseconds < other_milliseconds
end
