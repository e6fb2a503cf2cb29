-- What a tenant was granted when it last submitted, if that is not what all have.
local function keep(hash, tenant, value)
  if value then redis.call('HSET', key(hash), tenant, value) else redis.call('HDEL', key(hash), tenant) end
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

local function stand(job)
  redis.call('ZADD', line(job), job.place, job.id)
  seat(job.priority, job.alone, job.model, job.tenant)
end

local function join_line(job)
  if job.not_before and job.not_before > now then
    redis.call('ZADD', key('delayed'), job.not_before, job.id)
  else
    stand(job)
  end
  if job.deadline then redis.call('ZADD', key('deadlines'), job.deadline, job.id) end
  redis.call('ZADD', key('since', job.model), job.created_at, job.id)
  count_waiting(job, 1)
end

local function leave_line(job)
  redis.call('ZREM', key('delayed'), job.id)
  redis.call('ZREM', line(job), job.id)
  seat(job.priority, job.alone, job.model, job.tenant)
  redis.call('ZREM', key('deadlines'), job.id)
  redis.call('ZREM', key('since', job.model), job.id)
  count_waiting(job, -1)
end

-- Let those join whose time has come.
local function wake()
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', key('delayed'), '-inf', now, 'LIMIT', 0, RULES.sweep)) do
    redis.call('ZREM', key('delayed'), id)
    stand(load_job(id))
  end
end

local function end_job(job, name)
  set(job, 'finished_at', now)
  redis.call('ZADD', key('ended'), now, job.id .. ':' .. job.tenant)
  if UNTOLD[name] then tally('untold', table.concat({job.state, UNTOLD[name], job.model}, ' '), 1) end
end

-- Take back what a worker said it serves. Of the many others nobody is looked at: a thousand say so every few seconds.
local function withdraw(worker)
  for _, model in ipairs(redis.call('SMEMBERS', key('serves', worker))) do
    redis.call('ZREM', key('serving', model), worker)
  end
  redis.call('DEL', key('serves', worker))
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
    redis.call('DEL', key('previews', job.id))
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
    end_job(job, name)
  end
  emit(job.id, step.event, data)
end

local function put_back(job, name, reason)
  settle(job, 0)
  redis.call('HDEL', key('job', job.id), 'progress', 'started_at', 'fate')
  move(job, name, '{"reason":"' .. reason .. '"}')
end
