-- The mark of whoever holds a partition: it changes with each taking and each renewal, so that one who sees it stand
-- still knows that the holder shows no sign of life, whatever the server's clock does.
local function mark_of(owner, epoch, renewals)
    return (owner or '') .. ':' .. (epoch or '0') .. ':' .. (renewals or '0')
end
