-- Lend due deliveries: those of the longest due lane first, as long as lane and tenant have room.
-- ARGV: room, lease in ms, most of a lane, most of a tenant, then lane, how many of it are under way; and so on
-- Answers a list of {id, record, body or nothing}.
local room, lease, per_lane, per_tenant = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local lent, of_lane, of_tenant = {}, {}, {}

local function count_one(lane, tenant, many)
  of_lane[lane] = (of_lane[lane] or 0) + many
  of_tenant[tenant] = (of_tenant[tenant] or 0) + many
end

local function has_room(lane, tenant)
  return #lent < room and (of_lane[lane] or 0) < per_lane and (of_tenant[tenant] or 0) < per_tenant
end

local function lend(id, lane, tenant)
  local delivery = load_delivery(id)
  if not delivery then
    redis.call('ZREM', key('due', lane), id)
  elseif redis.call('HEXISTS', key('disabled', tenant), delivery.url) == 1 then
    end_delivery(delivery, 'dead', 'endpoint_disabled')
  else
    redis.call('ZADD', key('due', lane), now + lease, id)
    count_one(lane, tenant, 1)
    local body = redis.call('HGET', key('bodies', delivery.job_id), id)
    lent[#lent + 1] = {id, redis.call('HGETALL', key('delivery', id)), body}
  end
end

for i = 5, #ARGV, 2 do count_one(ARGV[i], tenant_of(ARGV[i]), tonumber(ARGV[i + 1])) end
for _, lane in ipairs(redis.call('ZRANGEBYSCORE', key('lanes'), '-inf', now)) do
  local tenant = tenant_of(lane)
  if has_room(lane, tenant) then
    for _, id in ipairs(redis.call('ZRANGEBYSCORE', key('due', lane), '-inf', now, 'LIMIT', 0, per_lane)) do
      if has_room(lane, tenant) then lend(id, lane, tenant) end
    end
    mark_lane(lane)
  end
  if #lent >= room then break end
end
return lent
