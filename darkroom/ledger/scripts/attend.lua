-- Note which models a worker serves, for one lease.
-- ARGV: worker, model...
-- Answers for each how many workers serve it.
local worker, serve_it = ARGV[1], {}
withdraw(worker)
for i = 2, #ARGV do
  local desk = key('serving', ARGV[i])
  redis.call('ZREMRANGEBYSCORE', desk, '-inf', now)
  redis.call('ZADD', desk, now + RULES.lease_ms, worker)
  redis.call('PEXPIRE', desk, RULES.lease_ms)
  redis.call('SADD', key('served'), ARGV[i])
  redis.call('SADD', key('serves', worker), ARGV[i])
  serve_it[i - 1] = workers_of(ARGV[i])
end
redis.call('PEXPIRE', key('serves', worker), RULES.lease_ms)
return serve_it
