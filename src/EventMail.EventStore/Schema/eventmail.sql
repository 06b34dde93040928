-- What is ours lives beside Marten's tables, never in them.

create schema if not exists eventmail;

create table if not exists eventmail.setting (
  name  text primary key,
  value text not null
);

-- A content is a row with its bytes, or a row without them whose bytes are the file content/ab/cd/<digest in hex>[-<number>].
-- Digest and size are those of the plain bytes. A content with a key (added below) is encrypted, and its file's name has the number.
create table if not exists eventmail.content (
  number  bigint      not null,
  digest  bytea       not null,
  size    bigint      not null,
  data    bytea       null,
  created timestamptz not null,
  constraint content_pkey primary key (number)
);

-- Nodes take numbers in blocks of the increment. They begin elsewhere in each database, so that an account can go to another one and its events
-- name the same contents there (decision 50).
do $$
begin
  if to_regclass('eventmail.content_number') is null then
    execute format('create sequence eventmail.content_number as bigint start %s increment 1024 owned by eventmail.content.number',
      ((1 + floor(random() * 4095))::bigint << 31) + 1);
  end if;
end $$;

-- The processes that use this database. A row whose heartbeat is old is of a process that ended without a word.
create table if not exists eventmail.node (
  id            uuid        primary key,
  pid           int         not null,
  backend_start timestamptz not null,
  heartbeat     timestamptz not null
);

-- The versions of the read models that it folds: ' name=version ' each.
do $$
begin
  if not exists (select from pg_attribute where attrelid = 'eventmail.node'::regclass and attname = 'read_models') then
    alter table eventmail.node add column read_models text null;
  end if;
end $$;

-- What others said of themselves, to be believed until a time: no part of the log, because nothing of ours happened.
create table if not exists eventmail.observation (
  kind   text        not null,
  name   text        not null,
  value  text        not null,
  seen   timestamptz not null,
  until  timestamptz not null,
  tried  timestamptz not null, -- when somebody last set out to see it again
  constraint observation_pkey primary key (kind, name)
);

-- The read models in generations: which one is live, and which one was before it. What follows the log behind the commits has its position
-- in public.mt_event_progression, a row for each generation.
create table if not exists eventmail.read_model (
  name                text        primary key,
  version             int         not null,
  generation          int         not null,
  tables              text[]      not null,
  built               timestamptz not null, -- when it went live
  previous_version    int         null,
  previous_generation int         null,
  previous_tables     text[]      null,
  previous_position   bigint      null      -- up to where in the log it was folded
);

-- The generations that are being built, all of them up to the same position: a page of the log and the position behind it are one transaction.
create table if not exists eventmail.read_model_build (
  name       text        primary key,
  version    int         not null,
  generation int         not null,
  tables     text[]      not null,
  began      bigint      not null, -- the position at which it began
  position   bigint      not null,
  target     bigint      not null, -- the end of the log when it began
  started    timestamptz not null,
  updated    timestamptz not null,
  rate       double precision not null default 0 -- events a second, of late
);

-- The tree over the log (RFC 9162): full tiles of 256 leaves (a position and an event's hash each), full tiles of 256 hashes above them, and the end
-- that is in no full tile yet. No read model: it is what the log was when it was written, and checkpoints bind it.
create table if not exists eventmail.log_leaves (
  number bigint not null,
  first  bigint not null, -- the first leaf's position
  leaves bytea  not null,
  constraint log_leaves_pkey primary key (number),
  constraint log_leaves_first_key unique (first)
);

create table if not exists eventmail.log_tile (
  level  int    not null, -- from 1
  number bigint not null,
  hashes bytea  not null,
  constraint log_tile_pkey primary key (level, number)
);

create table if not exists eventmail.log_tip (
  one      boolean not null default true check (one),
  size     bigint  not null, -- leaves
  position bigint  not null, -- the last one's
  tiles    bytea   not null,
  constraint log_tip_pkey primary key (one)
);

insert into eventmail.log_tip (size, position, tiles) values (0, 0, '') on conflict do nothing;

-- What the last verification of each read model found.
create table if not exists eventmail.read_model_check (
  name       text        primary key,
  generation int         not null, -- the live one then
  checked    timestamptz not null,
  position   bigint      not null, -- up to where in the log
  drifted    int         not null  -- rows that were not what the log says
);

-- Rows of the log that could not be read: found by whoever came to them first, gone when they can be read again.
create table if not exists eventmail.unreadable_event (
  seq_id    bigint      primary key,
  tenant_id varchar     not null,
  stream_id uuid        not null,
  version   bigint      not null,
  type      varchar     not null,
  error     text        not null,
  found     timestamptz not null default now()
);

-- Those of them that a read model which follows the log behind the commits has passed over: it takes them up when they can be read.
create table if not exists eventmail.skipped_event (
  progression varchar not null, -- public.mt_event_progression.name: of one generation
  seq_id      bigint  not null,
  constraint skipped_event_pkey primary key (progression, seq_id)
);

-- Makes the tables and functions of one schema the live ones, and keeps what was live in another (or the same). In the caller's transaction.
create or replace function eventmail.change_over(
  live text, incoming text, outgoing text, old_tables text[], new_tables text[], dropped_tables text[]) returns void
language plpgsql as $$
declare
  relation text;
  f record;
begin
  create schema projections_moving;
  if incoming <> outgoing then
    foreach relation in array dropped_tables loop
      execute format('drop table if exists %I.%I cascade', outgoing, relation);
    end loop;
  end if;
  foreach relation in array old_tables loop
    if to_regclass(format('%I.%I', live, relation)) is not null then
      execute format('alter table %I.%I set schema projections_moving', live, relation);
    end if;
  end loop;
  for f in
    select p.proname, pg_get_function_identity_arguments(p.oid) as arguments,
      to_regprocedure(format('%I.%I(%s)', live, p.proname, oidvectortypes(p.proargtypes))) is not null as replaces
    from pg_proc p where p.pronamespace = to_regnamespace(incoming)
  loop
    if f.replaces then
      execute format('alter function %I.%I(%s) set schema projections_moving', live, f.proname, f.arguments);
    end if;
    execute format('alter function %I.%I(%s) set schema %I', incoming, f.proname, f.arguments, live);
  end loop;
  foreach relation in array new_tables loop
    execute format('alter table %I.%I set schema %I', incoming, relation, live);
  end loop;
  for f in
    select p.proname, pg_get_function_identity_arguments(p.oid) as arguments
    from pg_proc p where p.pronamespace = to_regnamespace('projections_moving')
  loop
    execute format('drop function if exists %I.%I(%s)', outgoing, f.proname, f.arguments);
    execute format('alter function projections_moving.%I(%s) set schema %I', f.proname, f.arguments, outgoing);
  end loop;
  for relation in select c.relname from pg_class c where c.relnamespace = to_regnamespace('projections_moving') and c.relkind = 'r' loop
    execute format('alter table projections_moving.%I set schema %I', relation, outgoing);
  end loop;
  drop schema projections_moving;
end $$;

-- Up to where each webhook was told of the log, and what it did not take.
create table if not exists eventmail.webhook (
  id       text        primary key,
  position bigint      not null,
  moved    timestamptz not null default now()
);

create table if not exists eventmail.webhook_dead (
  hook     text        not null,
  position bigint      not null,
  type     text        not null,
  failed   timestamptz not null default now(),
  attempts int         not null,
  reason   text        not null,
  again    boolean     not null default false,
  constraint webhook_dead_pkey primary key (hook, position)
);

-- Ends a transaction whose statement touched other rows than it was decided on.
create or replace function eventmail.require_rows(expected bigint, actual bigint, code text) returns void
language plpgsql as $$
begin
  if expected is distinct from actual then
    raise exception 'expected % rows, found %', expected, actual using errcode = code;
  end if;
end $$;

-- Every start runs these scripts beside servers at work: what locks a table in use runs only when there is something to do. (An
-- "alter table" waits behind a running pg_dump, and everything else behind the "alter table".)
create or replace function eventmail.ensure_index(name text, definition text) returns void
language plpgsql as $$
begin
  if to_regclass(name) is null then
    execute definition;
  elsif not exists (select from pg_index where indexrelid = to_regclass(name)) then
    raise exception '% is a table, and cannot be an index', name;
  end if;
end $$;

create or replace function eventmail.ensure_column(relation regclass, col name, definition text) returns void
language plpgsql as $$
begin
  if not exists (select from pg_attribute where attrelid = relation and attname = col and not attisdropped) then
    execute format('alter table %s add column %I %s', relation, col, definition);
  end if;
end $$;

create or replace function eventmail.ensure_storage(relation regclass, col name, wanted text) returns void
language plpgsql as $$
begin
  if (select attstorage::text from pg_attribute where attrelid = relation and attname = col) is distinct from left(wanted, 1) then
    execute format('alter table %s alter column %I set storage %s', relation, col, wanted);
  end if;
end $$;

-- Mail compresses well: inside the row up to a page, by lz4 where the server has it.
do $$
begin
  perform eventmail.ensure_storage('eventmail.content', 'data', 'main');
  -- Hashes do not.
  perform eventmail.ensure_storage('eventmail.log_leaves', 'leaves', 'external');
  perform eventmail.ensure_storage('eventmail.log_tile', 'hashes', 'external');
  perform eventmail.ensure_storage('eventmail.log_tip', 'tiles', 'external');
  if exists (select from pg_settings where name = 'default_toast_compression' and 'lz4' = any(enumvals)) then
    if (select attcompression from pg_attribute where attrelid = 'eventmail.content'::regclass and attname = 'data') <> 'l' then
      alter table eventmail.content alter column data set compression lz4;
    end if;
  end if;
end $$;

-- A content's own key, encrypted by a wrapping key, which is a file outside the database; null for a content that is stored plain.
select eventmail.ensure_column('eventmail.content', 'kek', 'bigint');
select eventmail.ensure_column('eventmail.content', 'key', 'bytea');
select eventmail.ensure_index('eventmail.content_kek',
  'create index content_kek on eventmail.content (kek) where kek is not null');

-- Contents that no message names, as a run found, and since when it finds that.
create table if not exists eventmail.content_unused (
  number bigint      primary key,
  since  timestamptz not null
);

-- Wrapping keys with which nothing is wrapped any more, because they are destroyed, or about to be: a row that names one is not stored.
create table if not exists eventmail.retired_key (
  kek       bigint      primary key,
  retired   timestamptz not null default now(),
  destroyed timestamptz null -- its file is gone
);

-- Of a row that can be read and yet cannot be folded: its data as they were then, by which a repair is noticed.
select eventmail.ensure_column('eventmail.unreadable_event', 'digest', 'bytea');

-- One that can be read and is not as it was written: held until somebody says that it is again.
select eventmail.ensure_column('eventmail.unreadable_event', 'altered', 'boolean not null default false');

-- Where the verification of the log's hashes behind the mail is: it goes round and round.
create table if not exists eventmail.log_check (
  id       int         primary key default 1 check (id = 1),
  position bigint      not null, -- up to where this round has come
  began    timestamptz not null,
  ended    timestamptz           -- null while it is under way
);

-- A content that came with an account from another database: under its number there, whether its octets were here or not.
select eventmail.ensure_column('eventmail.content', 'moved', 'boolean not null default false');
select eventmail.ensure_index('eventmail.content_digest',
  'create unique index content_digest on eventmail.content (digest) where not moved');
select eventmail.ensure_index('eventmail.content_moved',
  'create index content_moved on eventmail.content (digest) where moved');
do $$
begin
  if exists (select from pg_constraint where conrelid = 'eventmail.content'::regclass and conname = 'content_digest_key') then
    alter table eventmail.content drop constraint content_digest_key;
  end if;
end $$;

-- Tenants whose streams nobody may append to. Committers read it when they connect: who changes it ends their connections.
create table if not exists eventmail.read_only_tenant (
  tenant_id varchar     primary key,
  reason    text        not null,
  since     timestamptz not null default now()
);
select eventmail.ensure_column('eventmail.read_only_tenant', 'moved_to', 'text'); -- where it has gone for good

-- What has come of a tenant that is on its way here from another database. None of it is in the log before all of it is here.
create table if not exists eventmail.arrival (
  tenant_id varchar     primary key,
  origin    uuid        not null, -- the first event of the log that it comes from
  position  bigint      not null, -- up to where in that log
  started   timestamptz not null default now()
);
select eventmail.ensure_column('eventmail.arrival', 'since', 'bigint not null default 0'); -- behind where in that log: of one that was here before, its last event here

create table if not exists eventmail.arriving_event (like public.mt_events, constraint arriving_event_pkey primary key (tenant_id, seq_id));
create table if not exists eventmail.arriving_stream (like public.mt_streams, constraint arriving_stream_pkey primary key (tenant_id, id));
create table if not exists eventmail.arriving_content (
  tenant_id varchar not null,
  number    bigint  not null,
  constraint arriving_content_pkey primary key (tenant_id, number)
);

-- Each data subject's key for the personal fields of events, encrypted by a wrapping key. Without its row what was sealed is gone for good.
create table if not exists eventmail.subject_key (
  subject text        not null, -- an account's id, or the id of a stream that is nobody's
  kek     bigint      not null,
  key     bytea       not null,
  created timestamptz not null default now(),
  constraint subject_key_pkey primary key (subject)
);
select eventmail.ensure_index('eventmail.subject_key_kek', 'create index subject_key_kek on eventmail.subject_key (kek)');
