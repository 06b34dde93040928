create schema if not exists projections_v1;

-- One row for each message and domain that somebody is still waiting in. What follows from the log comes first. The lease does not:
-- a host that has claimed the row has it until then, and one that died leaves it behind.
create table if not exists projections_v1.delivery_queue (
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
  primary key (id, domain)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000, autovacuum_analyze_scale_factor = 0.05);

select eventmail.ensure_index('projections_v1.delivery_queue_wake',
  'create index delivery_queue_wake on projections_v1.delivery_queue (priority, wake)');
select eventmail.ensure_index('projections_v1.delivery_queue_domain',
  'create index delivery_queue_domain on projections_v1.delivery_queue (domain, wake)');
select eventmail.ensure_index('projections_v1.delivery_queue_owner',
  'create index delivery_queue_owner on projections_v1.delivery_queue (owner) where owner is not null');

-- What is due at a time, most urgent first (RFC 6710), then longest due; passed over: what others are just claiming, and busy domains.
-- Each priority is a walk along the index that ends when there is enough, so that what is not due costs nothing, however much it is.
-- The settings keep a plan that was made while the table was small from reading all of it. A claim that is lost with the server's last
-- moments does no harm: the log decides who may begin.
create or replace function projections_v1.claim_deliveries(
  now_at timestamptz, lease_until timestamptz, new_owner uuid, busy varchar[], at_most int, only_domain varchar)
returns table (tenant_id varchar, id uuid, domain varchar)
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_sort = on set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
begin
  perform set_config('synchronous_commit', 'off', true);
  if only_domain is not null then
    return query
      with ready as materialized (
        select q.id, q.domain from projections_v1.delivery_queue q
        where q.domain = only_domain and q.wake <= now_at
        order by q.wake limit at_most for update skip locked)
      update projections_v1.delivery_queue q set lease = lease_until, owner = new_owner from ready
      where q.id = ready.id and q.domain = ready.domain
      returning q.tenant_id, q.id, q.domain;
  else
    return query
      with ready as materialized (
        select r.id, r.domain from generate_series(9, -9, -1) as p (priority)
        cross join lateral (
          select q.id, q.domain from projections_v1.delivery_queue q
          where q.priority = p.priority and q.wake <= now_at and q.domain <> all (busy)
          order by q.wake limit at_most for update skip locked) r
        limit at_most)
      update projections_v1.delivery_queue q set lease = lease_until, owner = new_owner from ready
      where q.id = ready.id and q.domain = ready.domain
      returning q.tenant_id, q.id, q.domain;
  end if;
end $$;

-- When the next one wakes after a time; null when none does.
create or replace function projections_v1.next_delivery(after timestamptz) returns timestamptz
language sql stable
set enable_seqscan = off set plan_cache_mode = force_generic_plan
as $$
  select min(r.wake) from generate_series(9, -9, -1) as p (priority)
  cross join lateral (
    select q.wake from projections_v1.delivery_queue q
    where q.priority = p.priority and q.wake > after and q.wake < 'infinity'
    order by q.wake limit 1) r
$$;
