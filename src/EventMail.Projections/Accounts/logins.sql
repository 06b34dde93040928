
-- When an account was last logged in to.
create table if not exists last_login (
  account varchar primary key,
  at timestamptz not null,
  protocol varchar not null,
  client varchar not null);

-- From where an account was logged in to: such a place is not shut out by strangers' failures. The
-- day is enough, so that a busy place is not written again at every login.
create table if not exists login_place (
  account varchar not null,
  source varchar not null,
  first timestamptz not null,
  last_day date not null,
  primary key (account, source));

-- Lock-outs, also those of other nodes and of before a restart. The key is a source, or an account, or "?" with an unknown name.
create table if not exists login_lockout (
  scope varchar not null,
  key varchar not null,
  until timestamptz not null,
  primary key (scope, key));
