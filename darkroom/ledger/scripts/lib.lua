-- What all scripts share. Above it `darkroom/ledger/lua.py` has written RULES, TRANSITIONS, EXHAUSTED,
-- LEASE_LOST, PACE and now_ms().
--
-- KEYS[1] is the prefix, a hash tag such as {darkroom}: all keys built on it lie in one slot.
--   job:ID                              hash, the record
--   events:ID                           stream, the job's history; its ids are what SSE clients resume from
--   line:PRIORITY:MODEL:TENANT          sorted set, ids by place in line; PRIORITY-alone: of jobs to be run alone
--   desk:PRIORITY:MODEL                 set, tenants with a line here; likewise
--   account:PRIORITY:MODEL:TENANT       hash, decayed device seconds
--   waiting, waiting_by_tenant          hashes, jobs in line by model and by tenant
--   backlog                             hash, milliseconds that jobs in line are expected to take, by "PRIORITY:MODEL"
--   backlog_by_tenant, backlog_by_line  hashes, the same by tenant and by "PRIORITY:MODEL:TENANT"
--   running, running_by_tenant          hashes, milliseconds of running jobs by model, running jobs by tenant
--   weights, most_running               hashes, what a tenant was granted, where it is not what all have
--   pace                                hash, measured over predicted seconds, by model
--   leases, deadlines, ended            sorted sets by time: what `reap` looks at
--   delayed                             sorted set by time, of jobs that wait but may not join their line before
--   held:WORKER                         set, the jobs it holds
--   emptying                            hash, by model "UNTIL WORKER": who empties its hand for a job to be run alone
--   jobs:TENANT, dead:TENANT            sorted sets in lexical order, the tenant's job ids; those given up
--   use:DIGEST                          hash, the first use of an idempotency key
--   serving                             sorted set, "MODEL WORKER" by when the worker's word runs out
--   allowance:DIGEST                    string, when a caller's allowance will be whole again
--   delivery:ID, attempts:ID            hash and list, that a receiver is to be told something, and the attempts at it
--   bodies:ID                           hash, by delivery what receivers are told of a job; it ends with the job's record
--   deliveries:TENANT                   sorted set, the tenant's delivery ids by when they were made
--   due:LANE                            sorted set, pending delivery ids by when one may be taken; a lane is "HOST TENANT"
--   lanes                               sorted set, lanes by when the first of them may be
--   deliveries_ended                    sorted set, "ID:TENANT" by end: what `reap` forgets
--   disabled:TENANT                     hash, URLs that want nothing more, and since when
--   leftovers                           stream, keys in the store that forgotten records may have left pictures at
--   places, turns                       counters
local now = now_ms()

local function key(...)
  return table.concat({KEYS[1], ...}, ':')
end

local function load_job(id)
  local names = {'tenant', 'model', 'priority', 'state', 'worker', 'fate', 'place', 'attempt', 'handed_back', 'deadline',
    'predicted', 'expected', 'weight', 'charge', 'alone', 'not_before', 'created_at'}
  local values = redis.call('HMGET', key('job', id), unpack(names))
  if not values[1] then return nil end
  local job = {id = id}
  for i, name in ipairs(names) do job[name] = i <= 6 and values[i] or tonumber(values[i]) end
  job.expected, job.weight = job.expected or 0, job.weight or 1  -- of a job that an older version took in
  return job
end

local function set(job, ...)
  redis.call('HSET', key('job', job.id), ...)
end

local function record(id)
  return redis.call('HGETALL', key('job', id))
end

local function held_by(job, attempt)
  return job and job.state == 'running' and job.attempt == tonumber(attempt)
end

local function overdue(job)
  return job.deadline and job.deadline <= now
end

-- Fairness: the twin of darkroom/ledger/fairness.py.
local function account(job)
  return key('account', job.priority, job.model, job.tenant)
end

local function used(account_key)
  local seconds, at = unpack(redis.call('HMGET', account_key, 'seconds', 'at'))
  if not seconds then return 0 end
  return tonumber(seconds) * math.pow(2, -(now - tonumber(at)) / RULES.half_life_ms)
end

local function hold(account_key, seconds)
  redis.call('HSET', account_key, 'seconds', seconds, 'at', now)
  redis.call('PEXPIRE', account_key, 40 * RULES.half_life_ms)
end

-- Let the tenant's account hold `seconds` for this job instead of what it held so far.
local function settle(job, seconds)
  seconds = seconds / job.weight
  hold(account(job), math.max(0, used(account(job)) + (seconds - job.charge)))
  job.charge = seconds
  set(job, 'charge', seconds)
end

-- Deliveries: what webhooks are to be told.
local function load_delivery(id)
  local names = {'tenant', 'job_id', 'event', 'url', 'lane', 'state', 'attempts'}
  local values = redis.call('HMGET', key('delivery', id), unpack(names))
  if not values[1] then return nil end
  local delivery = {id = id}
  for i, name in ipairs(names) do delivery[name] = i <= 6 and values[i] or tonumber(values[i]) end
  return delivery
end

local function tenant_of(lane)
  return string.match(lane, '^%S* (.*)$')
end

-- A lane is looked at when the first of its deliveries may be taken.
local function mark_lane(lane)
  local first = redis.call('ZRANGE', key('due', lane), 0, 0, 'WITHSCORES')
  if first[1] then redis.call('ZADD', key('lanes'), first[2], lane) else redis.call('ZREM', key('lanes'), lane) end
end

local function put_due(delivery, at)
  redis.call('HSET', key('delivery', delivery.id), 'due_at', at)
  redis.call('ZADD', key('due', delivery.lane), at, delivery.id)
  mark_lane(delivery.lane)
end

local function forget_delivery(id, tenant)
  local job_id = redis.call('HGET', key('delivery', id), 'job_id')
  if job_id then redis.call('HDEL', key('bodies', job_id), id) end
  redis.call('DEL', key('delivery', id), key('attempts', id))
  redis.call('ZREM', key('deliveries', tenant), id)
  redis.call('ZREM', key('deliveries_ended'), id .. ':' .. tenant)
end

-- Progress is worth nothing once it was told or missed.
local function end_delivery(delivery, state, reason)
  redis.call('ZREM', key('due', delivery.lane), delivery.id)
  mark_lane(delivery.lane)
  if delivery.event == 'generation.progress' then return forget_delivery(delivery.id, delivery.tenant) end
  redis.call('HSET', key('delivery', delivery.id), 'state', state, 'reason', reason, 'ended_at', now)
  redis.call('HDEL', key('delivery', delivery.id), 'due_at')
  redis.call('ZADD', key('deliveries_ended'), now, delivery.id .. ':' .. delivery.tenant)
end

local function wants(webhook, event)
  for _, wanted in ipairs(webhook.events) do
    if wanted == event then return true end
  end
end

-- The outbox: in the step that tells an event, note that the job's webhook is to hear of it. Of progress, no more than
-- one at a time: when it is sent, it tells the latest.
local function announce(id, event)
  local tenant, text, progress = unpack(redis.call('HMGET', key('job', id), 'tenant', 'webhook', 'progress_told'))
  if not text or text == '' then return end
  local webhook = cjson.decode(text)
  if not wants(webhook, event) then return end
  local is_progress = event == 'generation.progress'
  if is_progress and progress and redis.call('EXISTS', key('delivery', progress)) == 1 then return end
  local delivery = {
    id = 'msg_' .. id .. '_' .. redis.call('HINCRBY', key('job', id), 'announced', 1),
    lane = webhook.host .. ' ' .. tenant,
  }
  if is_progress then redis.call('HSET', key('job', id), 'progress_told', delivery.id) end
  redis.call('HSET', key('delivery', delivery.id), 'id', delivery.id, 'tenant', tenant, 'job_id', id, 'event', event,
    'url', webhook.url, 'base', webhook.base, 'lane', delivery.lane, 'state', 'pending', 'attempts', 0, 'before', 0,
    'created_at', now)
  redis.call('ZADD', key('deliveries', tenant), now, delivery.id)
  put_due(delivery, now)
end

local function emit(id, name, data)
  redis.call('XADD', key('events', id), '*', 'name', name, 'at', now, 'data', data or '{}')
  redis.call('PUBLISH', key('bell'), id)
  announce(id, 'generation.' .. name)
end

-- What a tenant was granted when it last submitted, if that is not what all have.
local function keep(hash, tenant, value)
  if value then redis.call('HSET', key(hash), tenant, value) else redis.call('HDEL', key(hash), tenant) end
end

local function weight_of(tenant)
  return tonumber(redis.call('HGET', key('weights'), tenant) or 1)
end

-- The least that anybody has used of those who wait where a job is to wait.
local function floor_of(job)
  local floor
  for _, other in ipairs(redis.call('SMEMBERS', key('desk', job.priority, job.model))) do
    local seconds = used(key('account', job.priority, job.model, other))
    if not floor or seconds < floor then floor = seconds end
  end
  return floor
end

-- Pace: the twin of darkroom/ledger/pace.py.
local function pace(model)
  return tonumber(redis.call('HGET', key('pace'), model) or 1)
end

local function learn(job, seconds)
  if job.predicted > 0 and seconds > 0 then
    local measured = math.min(math.max(seconds / job.predicted, 1 / PACE.most), PACE.most)
    redis.call('HSET', key('pace'), job.model, pace(job.model) + PACE.share * (measured - pace(job.model)))
  end
end

-- Places: a queued job is in its line, a running one has a lease, an ended one waits to be forgotten. Never two of these.
local function tally(hash, field, step)
  if redis.call('HINCRBY', key(hash), field, step) == 0 then redis.call('HDEL', key(hash), field) end
end

local function tallied(hash, field)
  return tonumber(redis.call('HGET', key(hash), field) or 0)
end

local function counter(...)
  return table.concat({...}, ':')
end

local function count_waiting(job, step)
  tally('waiting', job.model, step)
  tally('waiting_by_tenant', job.tenant, step)
  tally('backlog', counter(job.priority, job.model), step * job.expected)
  tally('backlog_by_tenant', job.tenant, step * job.expected)
  tally('backlog_by_line', counter(job.priority, job.model, job.tenant), step * job.expected)
end

local function count_running(job, step)
  tally('running', job.model, step * job.expected)
  tally('running_by_tenant', job.tenant, step)
end

local function standing(priority, alone)
  return alone and priority .. '-alone' or priority
end

local function line(job)
  return key('line', standing(job.priority, job.alone), job.model, job.tenant)
end

local function desk(job)
  return key('desk', standing(job.priority, job.alone), job.model)
end

local function stand(job)
  redis.call('ZADD', line(job), job.place, job.id)
  redis.call('SADD', desk(job), job.tenant)
end

local function join_line(job)
  if job.not_before and job.not_before > now then
    redis.call('ZADD', key('delayed'), job.not_before, job.id)
  else
    stand(job)
  end
  if job.deadline then redis.call('ZADD', key('deadlines'), job.deadline, job.id) end
  count_waiting(job, 1)
end

local function leave_line(job)
  redis.call('ZREM', key('delayed'), job.id)
  redis.call('ZREM', line(job), job.id)
  if redis.call('EXISTS', line(job)) == 0 then redis.call('SREM', desk(job), job.tenant) end
  redis.call('ZREM', key('deadlines'), job.id)
  count_waiting(job, -1)
end

-- Let those join whose time has come.
local function wake()
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', key('delayed'), '-inf', now, 'LIMIT', 0, RULES.sweep)) do
    redis.call('ZREM', key('delayed'), id)
    stand(load_job(id))
  end
end

local function end_job(job)
  set(job, 'finished_at', now)
  redis.call('ZADD', key('ended'), now, job.id .. ':' .. job.tenant)
end

-- Take back what a worker said it serves.
local function withdraw(worker)
  for _, member in ipairs(redis.call('ZRANGE', key('serving'), 0, -1)) do
    if string.match(member, ' (.*)$') == worker then redis.call('ZREM', key('serving'), member) end
  end
end

-- The one way a job moves: along TRANSITIONS, into the place of its new state, with one event.
local function move(job, name, data)
  local step = TRANSITIONS[job.state .. ' ' .. name]
  if not step then return end
  if job.state == 'queued' then
    leave_line(job)
  else
    redis.call('ZREM', key('leases'), job.id)
    redis.call('SREM', key('held', job.worker), job.id)
    count_running(job, -1)
  end
  job.state = step.state
  set(job, 'state', job.state)
  if job.state == 'queued' then
    join_line(job)
  elseif job.state == 'running' then
    redis.call('ZADD', key('leases'), now + RULES.lease_ms, job.id)
    redis.call('SADD', key('held', job.worker), job.id)
    count_running(job, 1)
  else
    end_job(job)
  end
  emit(job.id, step.event, data)
end

local function put_back(job, name, reason)
  settle(job, 0)
  redis.call('HDEL', key('job', job.id), 'progress', 'started_at', 'fate')
  move(job, name, '{"reason":"' .. reason .. '"}')
end
