-- Record a job, its idempotency key and its place in line, or say why not.
-- ARGV: id, tenant, model, priority, plan, predicted seconds, deadline in ms or '', digest of the key or '', body hash,
--   keys of its pictures in the store, with spaces between, '1' if its tenant's list shows it, its webhook or '', its
--   tenant's quota, the request's traceparent or ''
-- Answers {word, outlook, record}; word is accepted, replayed or mismatch, or else {word, milliseconds}: too_large with
-- what it is expected to take, queue_full, tenant_limit or too_late with how long to wait before trying again.
local id, tenant, model, priority, plan, predicted, deadline, digest, body_hash, pictures, listed,
  webhook, quota, trace = unpack(ARGV)
quota = cjson.decode(quota)

local again = digest ~= '' and replay(digest, body_hash)
if again then return again end
-- The same job once more: its first answer was lost on the way.
if redis.call('EXISTS', key('job', id)) == 1 then return submitted('replayed', id) end

local job = {
  id = id, tenant = tenant, model = model, priority = priority, deadline = tonumber(deadline), weight = quota.weight,
  expected = math.max(1, math.floor(tonumber(predicted) * pace(model) * 1000 + 0.5)), created_at = now,
}
local workers = math.max(1, workers_of(model))

local function sum(hash)
  local total = 0
  for _, each in ipairs(redis.call('HVALS', key(hash))) do total = total + each end
  return total
end

-- The twin of darkroom/ledger/admission.py. One job alone is never too much.
local function beyond(word, waiting, most, backlog, most_ms)
  if waiting >= most then return {word, math.ceil(backlog / waiting / workers)} end
  if most_ms and waiting > 0 and backlog + job.expected > most_ms then
    return {word, math.ceil((backlog + job.expected - most_ms) / workers)}
  end
end

local function too_late()
  if not job.deadline then return nil end
  local own = tallied('backlog_by_line', counter(priority, model, tenant))
  local wait = outlook(job, redis.call('ZCARD', line(job)), own)[5]
  if now + wait > job.deadline then return {'too_late', now + wait - job.deadline} end
end

local function refusal()
  if job.expected > RULES.max_job_ms then return {'too_large', job.expected} end
  return beyond('queue_full', sum('waiting'), RULES.max_queued, sum('backlog'), RULES.max_queued_ms)
    or beyond('tenant_limit', tallied('waiting_by_tenant', tenant), quota.max_queued or RULES.max_queued_per_tenant,
      tallied('backlog_by_tenant', tenant), quota.max_queued_seconds and quota.max_queued_seconds * 1000)
    or too_late()
end

local refused = refusal()
if refused then return refused end
job.place = redis.call('INCR', key('places'))
keep('weights', tenant, quota.weight ~= 1 and quota.weight)
keep('most_running', tenant, quota.max_running)

if redis.call('EXISTS', line(job)) == 0 then raise(job) end
set(job, 'id', id, 'tenant', tenant, 'model', model, 'priority', priority, 'state', 'queued', 'plan', plan,
  'predicted', predicted, 'expected', job.expected, 'weight', job.weight, 'deadline', deadline, 'place', job.place,
  'attempt', 0, 'handed_back', 0, 'charge', 0, 'created_at', now, 'pictures', pictures, 'webhook', webhook)
if trace ~= '' then set(job, 'trace', trace) end
join_line(job)
sampled = {}
if listed == '1' then redis.call('ZADD', key('jobs', tenant), 0, id) end
if digest ~= '' then
  redis.call('HSET', key('use', digest), 'job_id', id, 'body_hash', body_hash)
  redis.call('PEXPIRE', key('use', digest), RULES.idempotency_ttl_ms)
end
local answer = submitted('accepted', id)
emit(id, 'queued', string.format('{"position":%d,"ahead_seconds":%.3f}', answer[2][1], answer[2][2] / 1000))
answer[3] = record(id)
return answer
