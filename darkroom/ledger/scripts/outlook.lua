-- What a waiting job may expect: the twin of darkroom/ledger/outlook.py. It stands in front of the scripts that tell it.

-- What one run of a script has looked up.
local served, sampled = {}, {}

local function workers_of(model)
  if served[model] then return served[model] end
  local workers = redis.call('ZCOUNT', key('serving', model), string.format('(%d', now), '+inf')
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', key('serving'), string.format('(%d', now), '+inf')) do
    if string.match(member, '^[^ ]*') == model then workers = workers + 1 end
  end
  served[model] = workers
  return workers
end

-- Where a tenant's account stands; where it has no line yet, not below those it joins.
local function level_of(job)
  local own = used(account(job))
  if redis.call('EXISTS', line(job)) == 1 then return own end
  local floor = floor_of(job)
  return math.max(own, floor and used(floor) or 0)
end

-- Tenants at a desk with what they have used, their backlog and weight: all, or as many as are looked at, evenly from
-- those next to those last. And how many there are.
local function sample_of(priority, model)
  local desk = counter(priority, model)
  if sampled[desk] then return sampled[desk] end
  local many = redis.call('ZCARD', key('turn', desk))
  local sample, looks = {many = many}, math.min(many, RULES.outlook_tenants)
  sampled[desk] = sample
  if looks == 0 then return sample end
  local tenants, lines = {}, {}
  for i = 1, looks do
    tenants[i] = seated(priority, false, model, math.floor((i - 1) * many / looks))
    lines[i] = counter(desk, tenants[i])
  end
  -- All in two calls: every submission asks for a hundred of them, and waits for each call.
  local weights = redis.call('HMGET', key('weights'), unpack(tenants))
  local backlogs = redis.call('HMGET', key('backlog_by_line'), unpack(lines))
  for i, tenant in ipairs(tenants) do
    sample[i] = {
      tenant = tenant, used = used(key('account', desk, tenant)), weight = tonumber(weights[i] or 1),
      backlog = tonumber(backlogs[i] or 0),
    }
  end
  return sample
end

local function others_ahead(job, own)
  local upto, ahead = level_of(job) + own / 1000 / job.weight, 0
  local sample = sample_of(job.priority, job.model)
  for _, other in ipairs(sample) do
    if other.tenant ~= job.tenant then
      local behind = (upto - other.used) * other.weight
      ahead = ahead + math.max(0, math.min(other.backlog, math.floor(behind * 1000)))
    end
  end
  return math.floor(ahead * sample.many / math.max(1, #sample))
end

local function other_priority_ahead(job, ahead)
  local turns = RULES.bulk_every - 1
  if job.priority == 'interactive' then
    return math.min(tallied('backlog', counter('bulk', job.model)), math.floor(ahead / turns))
  end
  return math.min(tallied('backlog', counter('interactive', job.model)), (ahead + job.expected) * turns)
end

-- Answers position or -1, milliseconds ahead, its own, workers, milliseconds to wait or -1.
local function outlook(job, position, own)
  local ahead = own + others_ahead(job, own)
  ahead = ahead + other_priority_ahead(job, ahead)
  local workers, wait = workers_of(job.model), -1
  if workers > 0 then
    local waits = ahead > 0 or now - job.created_at > RULES.long_ms
    wait = waits and math.ceil((ahead + math.floor(tallied('running', job.model) / 2)) / workers) or 0
  end
  return {position or -1, ahead, job.expected, workers, wait}
end

local function outlook_of(job)
  if job.state ~= 'queued' then return {} end
  local position = redis.call('ZRANK', line(job), job.id)
  local others = tallied('backlog_by_line', counter(job.priority, job.model, job.tenant)) - job.expected
  if position then others = math.floor(others * position / math.max(1, redis.call('ZCARD', line(job)) - 1)) end
  return outlook(job, position, others)
end

-- How submissions are answered.
local function submitted(word, id)
  return {word, outlook_of(load_job(id)), record(id)}
end

-- The answer to a submission whose idempotency key was used before, as long as that job is remembered.
local function replay(digest, body_hash)
  local first, body = unpack(redis.call('HMGET', key('use', digest), 'job_id', 'body_hash'))
  if not first or redis.call('EXISTS', key('job', first)) == 0 then return nil end
  return body == body_hash and submitted('replayed', first) or {'mismatch'}
end
