-- The server's identity: its run id and replication id. Either changes when a partition may have lost its newest
-- writes, by a restart or a failover. Costs about 14 microseconds.
local function identity()
    local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') or ''
    local replication = string.match(redis.call('INFO', 'replication'), 'master_replid:(%w+)') or ''
    return run, replication
end
