-- Lend the fairest next jobs.
-- ARGV: worker, room, model...
-- Answers a list of {id, tenant, attempt, plan, end of the lease in ms, ms since submission}.
local worker, room = ARGV[1], tonumber(ARGV[2])
local lent, expired = {}, 0

local function fairest_at(priority)
  local best
  for i = 3, #ARGV do
    for _, tenant in ipairs(redis.call('SMEMBERS', key('desk', priority, ARGV[i]))) do
      local id, place = unpack(redis.call('ZRANGE', key('line', priority, ARGV[i], tenant), 0, 0, 'WITHSCORES'))
      local next_one = {id = id, place = tonumber(place), used = used(key('account', priority, ARGV[i], tenant))}
      if not best or next_one.used < best.used or (next_one.used == best.used and next_one.place < best.place) then
        best = next_one
      end
    end
  end
  return best
end

local function fairest()
  local turn = tonumber(redis.call('GET', key('turns')) or 0) + 1
  local best
  if turn % RULES.bulk_every == 0 then
    best = fairest_at('bulk') or fairest_at('interactive')
  else
    best = fairest_at('interactive') or fairest_at('bulk')
  end
  return best and load_job(best.id)
end

local function lend(job)
  redis.call('INCR', key('turns'))
  job.attempt = job.attempt + 1
  set(job, 'attempt', job.attempt, 'worker', worker, 'started_at', now)
  settle(job, job.predicted)
  move(job, 'claim', '{"attempt":' .. (job.attempt - job.handed_back) .. '}')
  local plan, created_at = unpack(redis.call('HMGET', key('job', job.id), 'plan', 'created_at'))
  return {job.id, job.tenant, job.attempt, plan, now + RULES.lease_ms, now - created_at}
end

while #lent < room and expired < RULES.sweep do
  local job = fairest()
  if not job then break end
  if overdue(job) then
    expired = expired + 1
    move(job, 'expire')
  else
    lent[#lent + 1] = lend(job)
  end
end
return lent
