-- Forget old records, leaving their pictures to be deleted; expire what is past its deadline, take back what dead workers held.
-- ARGV: '1' to look at leases
-- Answers {put back ids, ended ids, waiting by model}.
local requeued, ended = {}, {}

local function due(set_name, until_ms)
  return redis.call('ZRANGEBYSCORE', key(set_name), '-inf', until_ms, 'LIMIT', 0, RULES.sweep)
end

for _, member in ipairs(due('ended', now - RULES.result_ttl_ms)) do
  local id, tenant = string.match(member, '^([^:]*):(.*)$')
  local pictures, attempt = unpack(redis.call('HMGET', key('job', id), 'pictures', 'attempt'))
  -- A record that is damaged, or of an older version, must not end the sweep for all others.
  if pictures and attempt ~= '0' then redis.call('XADD', key('leftovers'), '*', 'keys', pictures) end
  redis.call('DEL', key('job', id), key('events', id))
  redis.call('ZREM', key('jobs', tenant), id)
  redis.call('ZREM', key('ended'), member)
end

for _, id in ipairs(due('deadlines', now)) do
  move(load_job(id), 'expire')
  ended[#ended + 1] = id
end

for _, id in ipairs(ARGV[1] == '1' and due('leases', now) or {}) do
  local job = load_job(id)
  if job.attempt - job.handed_back >= RULES.max_attempts then
    set(job, 'failure', EXHAUSTED)
    move(job, 'exhaust', EXHAUSTED)
    ended[#ended + 1] = id
  else
    put_back(job, 'lose', 'lease_lost')
    requeued[#requeued + 1] = id
  end
end

return {requeued, ended, redis.call('HGETALL', key('waiting'))}
