-- End the leases of a worker known to be dead; `reap` then takes its jobs back. It serves nothing any more.
-- A lease that is ended so is over since the beginning of time, which no outage can feign.
-- ARGV: worker, how it died
-- Answers the ids of its jobs.
local abandoned = {}
withdraw(ARGV[1])
for _, model in ipairs(redis.call('HKEYS', key('emptying'))) do
  local who = string.match(redis.call('HGET', key('emptying'), model), '^%d+ (.*)$')
  if who == ARGV[1] then redis.call('HDEL', key('emptying'), model) end
end
for _, id in ipairs(redis.call('SMEMBERS', key('held', ARGV[1]))) do
  redis.call('ZADD', key('leases'), 0, id)
  redis.call('HSET', key('job', id), 'fate', ARGV[2])
  abandoned[#abandoned + 1] = id
end
table.sort(abandoned)
return abandoned
