-- The partition's clock: the server's time in Unix milliseconds, never running backwards (`last`: the stored instant
-- or false). TIME moves inside a script, so it is read once. Numbers leave Lua as decimal strings (`text`): tostring
-- would write large ones with an exponent.
local function text(number)
    return string.format('%.0f', number)
end

local function clock(last)
    local time = redis.call('TIME')
    local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
    return math.max(now, tonumber(last or '0') or 0)
end
