-- A tenant's deliveries, newest first. Looks at no more than a thousand, so a page may be short before the last.
-- ARGV: tenant, limit, from this ms on, before this ms, job id or '', states with spaces around or '', ms and id of the
--   last one seen or ''
-- Answers {cursor or '', {id, record}...}.
local tenant, limit, after, before, job_id, states, seen_at, seen = unpack(ARGV)
local upper = '(' .. before
if seen_at ~= '' and (before == '+inf' or tonumber(seen_at) < tonumber(before)) then upper = seen_at end
if upper == '(+inf' then upper = '+inf' end
local looked_at, page, cursor = 0, {}, ''

local function wanted(delivery)
  return delivery and (job_id == '' or delivery.job_id == job_id)
    and (states == '' or string.find(states, ' ' .. delivery.state .. ' ', 1, true))
end

local rows = redis.call('ZREVRANGEBYSCORE', key('deliveries', tenant), upper, after, 'WITHSCORES', 'LIMIT', 0, 1000)
for i = 1, #rows, 2 do
  local id, at = rows[i], rows[i + 1]
  if not (seen_at ~= '' and tonumber(at) == tonumber(seen_at) and id >= seen) then
    if wanted(load_delivery(id)) then
      if #page == tonumber(limit) then return {cursor, unpack(page)} end
      page[#page + 1] = {id, redis.call('HGETALL', key('delivery', id))}
    end
    cursor = string.format('%.0f', tonumber(at)) .. '.' .. id
  end
end
return {#rows == 2000 and cursor or '', unpack(page)}
