-- Fairness: the twin of darkroom/ledger/fairness.py. Who is next is looked up, never searched for: whatever moves an
-- account or the first of a line moves its tenant's seat as well.
local LN2 = 0.6931471805599453

local function account(job)
  return key('account', job.priority, job.model, job.tenant)
end

local function used(account_key)
  local seconds, at = unpack(redis.call('HMGET', account_key, 'seconds', 'at'))
  if not seconds then return 0 end
  return tonumber(seconds) * math.pow(2, -(now - tonumber(at)) / RULES.half_life_ms)
end

local function level(account_key)
  local seconds, at = unpack(redis.call('HMGET', account_key, 'seconds', 'at'))
  seconds = tonumber(seconds or 0)
  return seconds > 0 and tonumber(at) / RULES.half_life_ms + math.log(seconds) / LN2 or -math.huge
end

local function standing(priority, alone)
  return alone and priority .. '-alone' or priority
end

local function line(job)
  return key('line', standing(job.priority, job.alone), job.model, job.tenant)
end

-- Sit a tenant where its account and the first of its line have it, or nowhere if it has no line.
local function seat(priority, alone, model, tenant)
  local where = standing(priority, alone)
  local turn, seats = key('turn', where, model), key('seats', where, model)
  local before = redis.call('HGET', seats, tenant)
  local first = redis.call('ZRANGE', key('line', where, model, tenant), 0, 0, 'WITHSCORES')
  local member = first[1] and string.format('%016d %s', tonumber(first[2]), tenant)
  if before and before ~= member then redis.call('ZREM', turn, before) end
  if member then
    redis.call('ZADD', turn, level(key('account', priority, model, tenant)), member)
    if before ~= member then redis.call('HSET', seats, tenant, member) end
  elseif before then
    redis.call('HDEL', seats, tenant)
  end
end

-- The tenant whose turn is after `rank` others', the place of its first job, and its level; nothing where there is none.
local function seated(priority, alone, model, rank)
  local found = redis.call('ZRANGE', key('turn', standing(priority, alone), model), rank, rank, 'WITHSCORES')
  if not found[1] then return nil end
  local place, tenant = string.match(found[1], '^(%d+) (.*)$')
  return tenant, tonumber(place), found[2] == '-inf' and -math.huge or tonumber(found[2])
end

local function hold(job, seconds, at)
  redis.call('HSET', account(job), 'seconds', seconds, 'at', at)
  redis.call('PEXPIRE', account(job), 40 * RULES.half_life_ms)
  seat(job.priority, false, job.model, job.tenant)
  seat(job.priority, true, job.model, job.tenant)
end

-- Let the tenant's account hold `seconds` for this job instead of what it held so far.
local function settle(job, seconds)
  seconds = seconds / job.weight
  hold(job, math.max(0, used(account(job)) + (seconds - job.charge)), now)
  job.charge = seconds
  set(job, 'charge', seconds)
end

-- The account of who has used least of those who wait where a job is to wait.
local function floor_of(job)
  local least = seated(job.priority, false, job.model, 0)
  return least and key('account', job.priority, job.model, least)
end

-- Who joins where others wait is raised to the least of them.
local function raise(job)
  local floor = floor_of(job)
  if floor and level(account(job)) < level(floor) then
    hold(job, unpack(redis.call('HMGET', floor, 'seconds', 'at')))
  end
end
