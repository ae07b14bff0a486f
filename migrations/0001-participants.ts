import type { Kysely } from 'kysely'
import { run } from '../src/db/ddl.ts'

const READERS = 'aldis_app, aldis_ledger, aldis_integrator, aldis_signer, aldis_projector, aldis_admin'

const REFERENCE: Readonly<Record<string, string>> = {
  programme: `
    programme_id uuid primary key,
    slug text collate "C" not null unique,
    trust_domain text collate "C" not null,
    node_origin text collate "C" not null,
    created_at timestamptz not null`,
  participant: `
    participant_id uuid primary key,
    slug text collate "C" not null unique check (slug ~ '^[a-z0-9][a-z0-9-]{1,62}$' and slug <> 'node'),
    name text not null,
    kind smallint not null,
    status smallint not null,
    admitted_at timestamptz not null,
    last_event uuid not null`,
  credential: `
    credential_id uuid primary key,
    participant_id uuid not null references participant,
    label text not null,
    spki bytea not null unique check (length(spki) = 32),
    scopes text[] not null,
    status smallint not null,
    not_before timestamptz not null,
    not_after timestamptz not null check (not_after > not_before),
    last_event uuid not null`,
  signing_key: `
    participant_id uuid not null references participant,
    kid text collate "C" not null,
    jwk text not null,
    alg text not null check (alg in ('Ed25519', 'ES256')),
    status smallint not null,
    not_before timestamptz not null,
    not_after timestamptz not null check (not_after > not_before),
    last_event uuid not null,
    primary key (participant_id, kid)`,
  agreement: `
    participant_id uuid not null references participant,
    version text collate "C" not null,
    digest bytea not null check (length(digest) = 32),
    signatory text not null,
    accepted_at timestamptz not null,
    last_event uuid not null,
    primary key (participant_id, version)`,
  participant_group: `
    group_id uuid primary key,
    slug text collate "C" not null unique check (slug ~ '^[a-z0-9][a-z0-9-]{1,62}$'),
    name text not null,
    last_event uuid not null`,
  group_member: `
    group_id uuid not null references participant_group,
    participant_id uuid not null references participant,
    joined_at timestamptz not null,
    left_at timestamptz,
    last_event uuid not null,
    primary key (group_id, participant_id, joined_at)`,
  audience: `
    audience_id uuid primary key,
    kind smallint not null,
    mode smallint not null,
    group_id uuid references participant_group,
    owner uuid references participant,
    label text not null,
    last_event uuid not null,
    check ((kind = 2) = (group_id is not null)),
    check ((kind = 3) = (owner is not null))`,
  audience_member: `
    audience_id uuid not null references audience,
    participant_id uuid not null references participant,
    from_seq bigint not null,
    until_seq bigint,
    primary key (audience_id, participant_id, from_seq)`,
  feed: `
    feed_id uuid primary key,
    log_id integer not null,
    kind smallint not null,
    audience_id uuid unique references audience,
    participant_id uuid unique references participant,
    check ((kind = 1) = (audience_id is not null)),
    check ((kind = 2) = (participant_id is not null))`,
  hash_profile: `
    kid text collate "C" primary key,
    suite text not null check (suite in ('hmac-sha256', 'oprf-ristretto255-sha512')),
    status smallint not null,
    not_before timestamptz not null,
    not_after timestamptz not null check (not_after > not_before),
    last_event uuid not null`,
  policy: `
    kind text collate "C" not null,
    version integer not null,
    digest bytea not null check (length(digest) = 32),
    body text not null,
    published_at timestamptz not null,
    last_event uuid not null,
    primary key (kind, version)`,
  hold_switch: `
    region text collate "C" not null,
    legal_basis text collate "C" not null,
    surface text collate "C" not null,
    held boolean not null,
    last_event uuid not null,
    primary key (region, legal_basis, surface)`,
  authority_epoch: `
    one smallint primary key check (one = 1),
    epoch bigint not null`,
}

const CONTROL: Readonly<Record<string, string>> = {
  person: `
    person_id uuid primary key,
    organisation text collate "C" not null,
    name text not null,
    status smallint not null,
    last_event uuid not null,
    unique (person_id, organisation)`,
  role_grant: `
    person_id uuid not null references person,
    role text collate "C" not null check (role in ('node_admin', 'governance', 'partner_admin', 'lead', 'analyst', 'observer')),
    granted_at timestamptz not null,
    ended_at timestamptz,
    last_event uuid not null,
    primary key (person_id, role, granted_at)`,
  approval_request: `
    request_id uuid primary key,
    action text not null,
    payload text not null,
    digest bytea not null check (digest = sha256(convert_to(payload, 'UTF8'))),
    requested_by uuid not null,
    requested_org text collate "C" not null,
    other_org boolean not null,
    needed smallint not null check (needed between 1 and 5),
    requested_at timestamptz not null,
    expires_at timestamptz not null check (expires_at > requested_at),
    executed_at timestamptz,
    last_event uuid not null,
    foreign key (requested_by, requested_org) references person (person_id, organisation),
    unique (request_id, requested_by, requested_org, other_org, digest)`,
  approval: `
    request_id uuid not null,
    requested_by uuid not null,
    requested_org text collate "C" not null,
    other_org boolean not null,
    digest bytea not null,
    approver uuid not null,
    approver_org text collate "C" not null,
    verdict smallint not null,
    auth_time timestamptz not null,
    at timestamptz not null,
    last_event uuid not null,
    primary key (request_id, approver),
    foreign key (request_id, requested_by, requested_org, other_org, digest)
      references approval_request (request_id, requested_by, requested_org, other_org, digest),
    foreign key (approver, approver_org) references person (person_id, organisation),
    check (approver <> requested_by),
    check (not other_org or approver_org <> requested_org),
    check (auth_time > at - interval '5 minutes' and auth_time <= at + interval '30 seconds')`,
  enrolment: `
    enrolment_id uuid primary key,
    participant_id uuid not null,
    label text not null,
    scopes text[] not null,
    code bytea not null unique check (length(code) = 32),
    expires_at timestamptz not null,
    tries smallint not null check (tries between 0 and 5),
    used_at timestamptz,
    last_event uuid not null`,
  handshake_refusal: `
    minute timestamptz not null,
    address text collate "C" not null,
    reason text collate "C" not null,
    count integer not null,
    primary key (minute, address, reason)`,
}

/** What only one row or column may change is granted by column; nothing may be deleted. */
const ADMIN_GRANTS: readonly string[] = [
  'grant insert on programme, agreement, policy, feed, approval to aldis_admin',
  'grant insert, update on participant, credential, signing_key, participant_group, group_member, audience, audience_member, hash_profile, hold_switch, authority_epoch, person, role_grant to aldis_admin',
  'grant insert, update (executed_at, last_event) on approval_request to aldis_admin',
  'grant insert, update (tries, used_at, last_event) on enrolment to aldis_admin',
  'grant insert, update on handshake_refusal to aldis_admin',
  'grant select on person, role_grant, approval_request, approval, enrolment, handshake_refusal to aldis_admin',
]

export async function participants(db: Kysely<unknown>): Promise<void> {
  for (const [table, columns] of Object.entries(REFERENCE)) {
    await run(db, [`create table ${table} (${columns})`, `grant select on ${table} to ${READERS}`])
  }
  for (const [table, columns] of Object.entries(CONTROL)) await run(db, [`create table ${table} (${columns})`])
  await run(db, [
    'create index credential_participant on credential (participant_id)',
    'create index audience_member_participant on audience_member (participant_id)',
    ...ADMIN_GRANTS,
    'insert into authority_epoch (one, epoch) values (1, 1)',
  ])
}
