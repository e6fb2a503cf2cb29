-- Record a job, its idempotency key and its place in line, or say why not.
-- ARGV: id, tenant, model, priority, plan, predicted seconds, deadline in ms or '', digest of the key or '', body hash,
--   keys of its pictures in the store, with spaces between, '1' if its tenant's list shows it, its webhook or ''
-- Answers {word, position, record}; word is accepted, replayed, mismatch, queue_full or tenant_limit.
local id, tenant, model, priority, plan, predicted, deadline, digest, body_hash, pictures, listed,
  webhook = unpack(ARGV)

local again = digest ~= '' and replay(digest, body_hash)
if again then return again end
-- The same job once more: its first answer was lost on the way.
if redis.call('EXISTS', key('job', id)) == 1 then return submitted('replayed', id) end

local total = 0
for _, waiting in ipairs(redis.call('HVALS', key('waiting'))) do total = total + waiting end
if total >= RULES.max_queued then return {'queue_full'} end
local own = tonumber(redis.call('HGET', key('waiting_by_tenant'), tenant) or 0)
if own >= RULES.max_queued_per_tenant then return {'tenant_limit'} end

local job = {
  id = id, tenant = tenant, model = model, priority = priority, deadline = tonumber(deadline),
  place = redis.call('INCR', key('places')),
}

-- Who joins where others wait is raised to the least of them.
if redis.call('EXISTS', line(job)) == 0 then
  local floor
  for _, other in ipairs(redis.call('SMEMBERS', key('desk', priority, model))) do
    local seconds = used(key('account', priority, model, other))
    if not floor or seconds < floor then floor = seconds end
  end
  if floor and used(account(job)) < floor then hold(account(job), floor) end
end

set(job, 'id', id, 'tenant', tenant, 'model', model, 'priority', priority, 'state', 'queued', 'plan', plan,
  'predicted', predicted, 'deadline', deadline, 'place', job.place, 'attempt', 0, 'handed_back', 0, 'charge', 0,
  'created_at', now, 'pictures', pictures, 'webhook', webhook)
join_line(job)
if listed == '1' then redis.call('ZADD', key('jobs', tenant), 0, id) end
if digest ~= '' then
  redis.call('HSET', key('use', digest), 'job_id', id, 'body_hash', body_hash)
  redis.call('PEXPIRE', key('use', digest), RULES.idempotency_ttl_ms)
end
emit(id, 'queued')
return submitted('accepted', id)
