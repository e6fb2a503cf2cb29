-- Lend the fairest next jobs.
-- ARGV: worker, room, model...
-- Answers a list of {id, tenant, attempt, plan, end of the lease in ms, ms since submission, traceparent or ''}.
local worker, room = ARGV[1], tonumber(ARGV[2])
local lent, expired = {}, 0
local held = redis.call('SMEMBERS', key('held', worker))

local function busy()
  return #held + #lent > 0
end

-- Who empties its hand for a job of this model that is to be run alone.
local function emptying(model)
  local ends, who = string.match(redis.call('HGET', key('emptying'), model) or '', '^(%d+) (.*)$')
  return ends and tonumber(ends) > now and who
end

-- A worker that runs a job alone, or empties its hand for one, is lent nothing.
local function stops()
  if #held == 0 then return false end
  if redis.call('HEXISTS', key('job', held[1]), 'alone') == 1 then return true end
  for _, model in ipairs(redis.call('HKEYS', key('emptying'))) do
    if emptying(model) == worker then return true end
  end
  return false
end

local function may_run(tenant)
  local most = redis.call('HGET', key('most_running'), tenant)
  return not most or tallied('running_by_tenant', tenant) < tonumber(most)
end

local function better(one, best)
  return not best or one.level < best.level or (one.level == best.level and one.place < best.place)
end

-- The first of those who may run at this desk, if it goes before `best`. Only those with as many running as they may have
-- are passed over, so no more are looked at than run.
local function fairest_of(priority, model, alone, best)
  local rank = 0
  while true do
    local tenant, place, at = seated(priority, alone, model, rank)
    local one = {place = place, level = at}
    if not tenant or not better(one, best) then return best end
    local first = redis.call('ZRANGE', key('line', standing(priority, alone), model, tenant), 0, 0, 'WITHSCORES')
    one.id = first[1]
    if tonumber(first[2]) ~= place then
      seat(priority, alone, model, tenant)  -- an older version moved the line, and not the seat
    elseif may_run(tenant) then
      return one
    else
      rank = rank + 1
    end
  end
end

local function fairest_at(priority)
  local best
  for i = 3, #ARGV do
    best = fairest_of(priority, ARGV[i], false, best)
    local who = busy() and emptying(ARGV[i])
    if not who or who == worker then best = fairest_of(priority, ARGV[i], true, best) end
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
  job.attempt, job.worker = job.attempt + 1, worker
  set(job, 'attempt', job.attempt, 'worker', worker, 'started_at', now)
  settle(job, job.expected / 1000)
  move(job, 'claim', '{"attempt":' .. (job.attempt - job.handed_back) .. '}')
  local plan, created_at, trace = unpack(redis.call('HMGET', key('job', job.id), 'plan', 'created_at', 'trace'))
  return {job.id, job.tenant, job.attempt, plan, now + RULES.lease_ms, now - created_at, trace or ''}
end

wake()
if stops() then return lent end
while #lent < room and expired < RULES.sweep do
  local job = fairest()
  if not job then break end
  if overdue(job) then
    expired = expired + 1
    move(job, 'expire')
  elseif not job.alone then
    lent[#lent + 1] = lend(job)
  elseif busy() then
    redis.call('HSET', key('emptying'), job.model, string.format('%d %s', now + RULES.lease_ms, worker))
    break
  else
    redis.call('HDEL', key('emptying'), job.model)
    lent[#lent + 1] = lend(job)
    break
  end
end
return lent
