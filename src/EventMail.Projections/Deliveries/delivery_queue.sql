
-- One row for each message and domain that somebody is still waiting in. What follows from the log comes first. The lease does not:
-- a host that has claimed the row has it until then, and one that died leaves it behind. Nor does whether it is ready: it has been seen
-- to be due. Claims look among those alone, so that neither what waits nor its domains cost them anything.
create table if not exists delivery_queue (
  tenant_id varchar not null,
  id uuid not null,
  domain varchar not null,
  due timestamptz not null,
  held boolean not null,
  priority smallint not null,
  attempts int not null,
  recipients int not null,
  sender varchar not null,
  size bigint not null,
  submitted timestamptz not null,
  reason varchar null,
  lease timestamptz null,
  owner uuid null,
  wake timestamptz not null generated always as (case when held then 'infinity'::timestamptz else greatest(due, lease) end) stored,
  ready boolean not null default false,
  primary key (id, domain)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000, autovacuum_analyze_scale_factor = 0.05);

select eventmail.ensure_index('delivery_queue_waiting',
  'create index delivery_queue_waiting on delivery_queue (priority, wake) where not ready');
select eventmail.ensure_index('delivery_queue_ready',
  'create index delivery_queue_ready on delivery_queue (priority, wake) where ready');
select eventmail.ensure_index('delivery_queue_turn',
  'create index delivery_queue_turn on delivery_queue (priority, domain, wake) where ready');
select eventmail.ensure_index('delivery_queue_owner',
  'create index delivery_queue_owner on delivery_queue (owner) where owner is not null');

-- A lease without end is a row that is put aside: its account is suspended. Resuming it finds them here.
select eventmail.ensure_index('delivery_queue_aside',
  'create index delivery_queue_aside on delivery_queue (tenant_id) where lease = ''infinity''');

-- Rows are found by walks along an index and then changed one by one, by their key. A statement that joins what was found to the table may
-- have its plan from a time when the queue was empty, as it mostly is, and then reads all of it once for each row.

-- Marks what has become due, most urgent first (RFC 6710). When it is as much as was asked for there may be more. The settings, here
-- and below, keep a plan that was made while the table was small from reading all of it.
create or replace function ready_deliveries(now_at timestamptz, at_most int) returns int
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_sort = on set plan_cache_mode = force_generic_plan
as $$
declare
  woken record;
  marked int := 0;
begin
  for woken in
    select r.id, r.domain from generate_series(9, -9, -1) as p (priority)
    cross join lateral (
      select q.id, q.domain from delivery_queue q
      where not q.ready and q.priority = p.priority and q.wake <= now_at
      order by q.wake limit at_most for update skip locked) r
    limit at_most
  loop
    update delivery_queue q set ready = true where q.id = woken.id and q.domain = woken.domain;
    marked := marked + 1;
  end loop;
  return marked;
end $$;

-- Claims one row: its tenant, or null when others are just claiming it or it is not ready any more. Only from claim_deliveries, whose
-- settings hold here as well.
create or replace function claim_delivery(
  wanted uuid, wanted_domain varchar, now_at timestamptz, lease_until timestamptz, new_owner uuid) returns varchar
language plpgsql
as $$
declare
  found_row record;
begin
  select q.tenant_id, q.ready, q.wake into found_row
  from delivery_queue q where q.id = wanted and q.domain = wanted_domain for update skip locked;
  if found_row.ready is not true or found_row.wake > now_at then
    return null;
  end if;
  update delivery_queue q set lease = lease_until, owner = new_owner, ready = false
  where q.id = wanted and q.domain = wanted_domain;
  return found_row.tenant_id;
end $$;

-- What is ready, most urgent first, then longest due; passed over: what others are just claiming, and busy domains. First a walk along
-- an index, over a window: that is all there is, or all that is wanted, unless busy domains have more than that in front of the others.
-- Then the domains take turns, beginning behind `turn`, each found by one step from the one before it.
create or replace function claim_deliveries(
  now_at timestamptz, lease_until timestamptz, new_owner uuid, busy varchar[], at_most int, only_domain varchar, turn varchar)
returns table (tenant_id varchar, id uuid, domain varchar)
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_sort = on set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
  beyond constant int := 1000;
  claimed int := 0;
  seen record;
begin
  if only_domain is not null then
    for seen in
      select r.id, r.domain from generate_series(9, -9, -1) as p (priority)
      cross join lateral (
        select q.id, q.domain from delivery_queue q
        where q.ready and q.priority = p.priority and q.domain = only_domain and q.wake <= now_at
        order by q.wake limit at_most for update skip locked) r
      limit at_most
    loop
      tenant_id := claim_delivery(seen.id, seen.domain, now_at, lease_until, new_owner);
      continue when tenant_id is null;
      id := seen.id;
      domain := seen.domain;
      return next;
    end loop;
    return;
  end if;
  for seen in
    select w.id, w.domain from generate_series(9, -9, -1) as p (priority)
    cross join lateral (
      select q.id, q.domain from delivery_queue q
      where q.ready and q.priority = p.priority and q.wake <= now_at
      order by q.wake limit at_most + beyond) w
    where w.domain <> all (busy)
  loop
    tenant_id := claim_delivery(seen.id, seen.domain, now_at, lease_until, new_owner);
    continue when tenant_id is null;
    id := seen.id;
    domain := seen.domain;
    return next;
    claimed := claimed + 1;
    exit when claimed = at_most;
  end loop;
  if claimed = at_most or not exists (
    select from generate_series(9, -9, -1) as p (priority)
    cross join lateral (
      select from delivery_queue q
      where q.ready and q.priority = p.priority and q.wake <= now_at order by q.wake offset beyond limit 1) r)
  then
    return;
  end if;
  for seen in
    select r.id, r.domain from generate_series(9, -9, -1) as p (priority)
    cross join (values (turn, null), ('', turn)) as half (after, upto)
    cross join lateral (
      with recursive taken as (
        (select q.domain from delivery_queue q
         where q.ready and q.priority = p.priority and q.domain > half.after order by q.domain limit 1)
        union all
        select (
          select q.domain from delivery_queue q
          where q.ready and q.priority = p.priority and q.domain > t.domain order by q.domain limit 1)
        from taken t where t.domain is not null and (half.upto is null or t.domain <= half.upto))
      select t.domain from taken t
      where t.domain <> all (busy) and (half.upto is null or t.domain <= half.upto)) d
    cross join lateral (
      select q.id, q.domain from delivery_queue q
      where q.ready and q.priority = p.priority and q.domain = d.domain and q.wake <= now_at
      order by q.wake limit at_most - claimed for update skip locked) r
    limit at_most - claimed
  loop
    tenant_id := claim_delivery(seen.id, seen.domain, now_at, lease_until, new_owner);
    continue when tenant_id is null;
    id := seen.id;
    domain := seen.domain;
    return next;
  end loop;
end $$;

-- When the next one that waits wakes after a time; null when none does.
create or replace function next_delivery(after timestamptz) returns timestamptz
language sql stable
set enable_seqscan = off set plan_cache_mode = force_generic_plan
as $$
  select min(r.wake) from generate_series(9, -9, -1) as p (priority)
  cross join lateral (
    select q.wake from delivery_queue q
    where not q.ready and q.priority = p.priority and q.wake > after and q.wake < 'infinity'
    order by q.wake limit 1) r
$$;
