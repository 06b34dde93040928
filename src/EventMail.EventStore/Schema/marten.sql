-- Marten 9's tables for one configuration: Guid identity, conjoined tenancy, all metadata columns, no archive partitioning.
-- Names of keys and indexes and the order of columns are Marten's: its schema check compares them.

create table if not exists public.mt_streams (
  tenant_id   varchar     not null default '*DEFAULT*',
  id          uuid        not null,
  type        varchar     null,
  version     bigint      null,
  timestamp   timestamptz not null default now(),
  created     timestamptz not null default now(),
  is_archived boolean     null default false,
  constraint pkey_mt_streams_tenant_id_id primary key (tenant_id, id)
);

create table if not exists public.mt_events (
  seq_id         bigint       not null,
  id             uuid         not null,
  stream_id      uuid         null,
  version        bigint       not null,
  data           jsonb        not null,
  bdata          bytea        null,
  type           varchar(500) not null,
  timestamp      timestamptz  not null default now(),
  tenant_id      varchar      null default '*DEFAULT*',
  mt_dotnet_type varchar      null,
  correlation_id varchar      null,
  causation_id   varchar      null,
  user_name      varchar      null,
  headers        jsonb        null,
  is_archived    boolean      null default false,
  constraint pkey_mt_events_seq_id primary key (seq_id),
  constraint fkey_mt_events_stream_id_tenant_id foreign key (tenant_id, stream_id)
    references public.mt_streams (tenant_id, id)
);

-- "create index if not exists" and "alter" lock what is in use before they find that there is nothing to do.
do $$
begin
  if to_regclass('public.pk_mt_events_stream_and_version') is null then
    create unique index pk_mt_events_stream_and_version on public.mt_events (tenant_id, stream_id, version);
  end if;
  if to_regclass('public.mt_events_sequence') is null then
    create sequence public.mt_events_sequence as bigint start 1;
    alter sequence public.mt_events_sequence owned by public.mt_events.seq_id;
  end if;
end $$;

create table if not exists public.mt_event_progression (
  name         varchar     not null,
  last_seq_id  bigint      null,
  last_updated timestamptz null default transaction_timestamp(),
  constraint pk_mt_event_progression primary key (name)
);
