-- What XINFO tells, by its names instead of in pairs.
local function properties(info)
    local named = {}
    for field = 1, #info, 2 do
        named[info[field]] = info[field + 1]
    end
    return named
end

-- The properties of each consumer group of a stream, by its name; none where there is no such stream.
local function groups(stream)
    local named = {}
    if redis.call('EXISTS', stream) == 1 then
        for _, info in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
            local group = properties(info)
            named[group['name']] = group
        end
    end
    return named
end
