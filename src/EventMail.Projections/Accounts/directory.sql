
-- One row per open account.
create table if not exists account (
  account varchar primary key,
  address varchar not null,
  suspended boolean not null,
  administrator boolean not null,
  quota_limit bigint not null,
  recoverable boolean not null,
  opened timestamptz not null);

create table if not exists mail_domain (
  name varchar primary key);

select eventmail.ensure_column('account', 'message_limit', 'bigint null');
select eventmail.ensure_column('account', 'audit_reads', 'boolean not null default false');

-- Every address that gets mail here: an account's own, or an alias with its targets.
create table if not exists address (
  address varchar primary key,
  local_part varchar not null,
  domain varchar not null references mail_domain (name),
  account varchar,
  targets varchar[],
  check ((account is null) <> (targets is null)));

select eventmail.ensure_index('address_domain', 'create index address_domain on address (domain)');
select eventmail.ensure_index('address_login_name',
  'create index address_login_name on address (local_part) where account is not null');
select eventmail.ensure_index('address_account',
  'create index address_account on address (account) where account is not null');
