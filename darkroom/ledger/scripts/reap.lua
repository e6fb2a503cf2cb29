-- Forget old records, leaving their pictures to be deleted, and old deliveries; expire what is past its deadline, take back what dead workers held.
-- ARGV: '1' to take leases that ran out for lost, '0' for those alone that a supervisor ended; '1' to be told of ends
-- that no worker tells of, '0' to leave them to another
-- Answers {put back ids, ended ids, waiting by model, how many were ended by "STATE CODE MODEL" that no worker tells of}.
local requeued, ended = {}, {}

local function due(set_name, until_ms)
  return redis.call('ZRANGEBYSCORE', key(set_name), '-inf', until_ms, 'LIMIT', 0, RULES.sweep)
end

for _, member in ipairs(due('ended', now - RULES.result_ttl_ms)) do
  local id, tenant = string.match(member, '^([^:]*):(.*)$')
  if redis.call('HGET', key('job', id), 'attempt') ~= '0' then leave_pictures(id) end
  redis.call('DEL', key('job', id), key('events', id), key('bodies', id))
  redis.call('ZREM', key('jobs', tenant), id)
  redis.call('ZREM', key('dead', tenant), id)
  redis.call('ZREM', key('ended'), member)
end

wake()

for _, member in ipairs(due('deliveries_ended', now - RULES.result_ttl_ms)) do
  forget_delivery(string.match(member, '^([^:]*):(.*)$'))
end

for _, id in ipairs(due('deadlines', now)) do
  move(load_job(id), 'expire')
  ended[#ended + 1] = id
end

-- The twin of darkroom/ledger/quarantine.py.
local function note_loss(job)
  local lost = {
    attempt = job.attempt - job.handed_back, worker = job.worker, ended = job.fate or LEASE_LOST,
    killed = not not job.fate, at = now / 1000,
  }
  local history = cjson.decode(redis.call('HGET', key('job', job.id), 'lost') or '[]')
  history[#history + 1] = lost
  set(job, 'lost', cjson.encode(history))
  if lost.killed or #history >= RULES.alone_after then
    job.alone = 1
    set(job, 'alone', 1)
  end
  if lost.attempt > 1 then
    job.not_before = now + math.min(RULES.retry_ms * math.pow(2, lost.attempt - 2), RULES.retry_most_ms)
    set(job, 'not_before', job.not_before)
  end
  return lost
end

for _, id in ipairs(due('leases', ARGV[1] == '1' and now or 0)) do
  local job = load_job(id)
  local lost = note_loss(job)
  if lost.attempt >= RULES.max_attempts then
    local failure = cjson.encode({
      code = EXHAUSTED.code, message = EXHAUSTED.message .. lost.ended, retryable = EXHAUSTED.retryable,
    })
    set(job, 'failure', failure)
    if redis.call('ZSCORE', key('jobs', job.tenant), id) then redis.call('ZADD', key('dead', job.tenant), 0, id) end
    move(job, 'exhaust', failure)
    ended[#ended + 1] = id
  else
    put_back(job, 'lose', lost.killed and 'worker_died' or 'lease_lost')
    requeued[#requeued + 1] = id
  end
end

-- An older version notes its lines in a set, where nobody looks any more.
local waiting = redis.call('HGETALL', key('waiting'))
for i = 1, #waiting, 2 do
  for _, priority in ipairs({'interactive', 'bulk'}) do
    for _, alone in ipairs({false, true}) do
      local desk = key('desk', standing(priority, alone), waiting[i])
      for _, tenant in ipairs(redis.call('SMEMBERS', desk)) do seat(priority, alone, waiting[i], tenant) end
      redis.call('DEL', desk)
    end
  end
end

local untold = {}
if ARGV[2] == '1' then
  untold = redis.call('HGETALL', key('untold'))
  redis.call('DEL', key('untold'))
end

return {requeued, ended, waiting, untold}
