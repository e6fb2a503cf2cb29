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
  local tenant, text, progress, trace =
    unpack(redis.call('HMGET', key('job', id), 'tenant', 'webhook', 'progress_told', 'trace'))
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
    'created_at', now, 'trace', trace or '')
  redis.call('ZADD', key('deliveries', tenant), now, delivery.id)
  put_due(delivery, now)
end

local function emit(id, name, data)
  redis.call('XADD', key('events', id), '*', 'name', name, 'at', now, 'data', data or '{}')
  redis.call('PUBLISH', key('bell'), id)
  announce(id, 'generation.' .. name)
end
