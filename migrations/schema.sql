-- Written from the catalogue of a migrated database; for reading. The migrations decide.

create table activity_hour (
  log_id integer not null,
  hour timestamp with time zone not null,
  actor text collate "C" not null,
  kind text collate "C" not null,
  entries integer not null,
  items bigint not null,
  constraint activity_hour_pkey PRIMARY KEY (log_id, hour, actor, kind)
);
alter table activity_hour enable row level security;
alter table activity_hour force row level security;
create policy aldis_ledger_select on activity_hour for select to aldis_ledger using (true);
create policy aldis_projector_all on activity_hour for all to aldis_projector using (true) with check (true);
grant select on activity_hour to aldis_ledger;
grant insert, select, update on activity_hour to aldis_projector;

create table agreement (
  participant_id uuid not null,
  version text collate "C" not null,
  digest bytea not null,
  signatory text not null,
  accepted_at timestamp with time zone not null,
  last_event uuid not null,
  constraint agreement_pkey PRIMARY KEY (participant_id, version),
  constraint agreement_participant_id_fkey FOREIGN KEY (participant_id) REFERENCES participant(participant_id),
  constraint agreement_digest_check CHECK ((length(digest) = 32))
);
grant insert, select on agreement to aldis_admin;
grant select on agreement to aldis_app;
grant select on agreement to aldis_integrator;
grant select on agreement to aldis_ledger;
grant select on agreement to aldis_projector;
grant select on agreement to aldis_signer;

create table anomaly_case (
  case_id uuid not null,
  rule text collate "C" not null,
  subject text collate "C" not null,
  day date not null,
  measured integer not null,
  baseline integer not null,
  threshold integer not null,
  state smallint not null,
  opened_at timestamp with time zone not null,
  moved_by uuid,
  moved_at timestamp with time zone,
  reason text collate "C",
  note text,
  last_event uuid not null,
  constraint anomaly_case_pkey PRIMARY KEY (case_id),
  constraint anomaly_case_rule_subject_day_key UNIQUE (rule, subject, day),
  constraint anomaly_case_moved_by_fkey FOREIGN KEY (moved_by) REFERENCES person(person_id),
  constraint anomaly_case_state_check CHECK (((state >= 1) AND (state <= 3)))
);
grant insert, select, update (state, moved_by, moved_at, reason, note, last_event) on anomaly_case to aldis_admin;

create table approval (
  request_id uuid not null,
  requested_by uuid not null,
  requested_org text collate "C" not null,
  other_org boolean not null,
  digest bytea not null,
  approver uuid not null,
  approver_org text collate "C" not null,
  verdict smallint not null,
  auth_time timestamp with time zone not null,
  at timestamp with time zone not null,
  last_event uuid not null,
  note text,
  constraint approval_pkey PRIMARY KEY (request_id, approver),
  constraint approval_approver_approver_org_fkey FOREIGN KEY (approver, approver_org) REFERENCES person(person_id, organisation),
  constraint approval_request_id_requested_by_requested_org_other_org_d_fkey FOREIGN KEY (request_id, requested_by, requested_org, other_org, digest) REFERENCES approval_request(request_id, requested_by, requested_org, other_org, digest),
  constraint approval_check CHECK ((approver <> requested_by)),
  constraint approval_check1 CHECK (((NOT other_org) OR (approver_org <> requested_org))),
  constraint approval_check2 CHECK (((auth_time > (at - '00:05:00'::interval)) AND (auth_time <= (at + '00:00:30'::interval))))
);
grant insert, select on approval to aldis_admin;
grant select (request_id, digest, approver, verdict, last_event) on approval to aldis_ledger;

create table approval_request (
  request_id uuid not null,
  action text not null,
  payload text not null,
  digest bytea not null,
  requested_by uuid not null,
  requested_org text collate "C" not null,
  other_org boolean not null,
  needed smallint not null,
  requested_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  executed_at timestamp with time zone,
  last_event uuid not null,
  cancelled_at timestamp with time zone,
  constraint approval_request_pkey PRIMARY KEY (request_id),
  constraint approval_request_request_id_requested_by_requested_org_othe_key UNIQUE (request_id, requested_by, requested_org, other_org, digest),
  constraint approval_request_requested_by_requested_org_fkey FOREIGN KEY (requested_by, requested_org) REFERENCES person(person_id, organisation),
  constraint approval_request_check CHECK ((digest = sha256(convert_to(payload, 'UTF8'::name)))),
  constraint approval_request_check1 CHECK ((expires_at > requested_at)),
  constraint approval_request_needed_check CHECK (((needed >= 1) AND (needed <= 5)))
);
grant insert, select, update (executed_at, last_event, cancelled_at) on approval_request to aldis_admin;
grant select (request_id, action, digest, requested_by, executed_at, last_event, cancelled_at) on approval_request to aldis_ledger;

create table audience (
  audience_id uuid not null,
  kind smallint not null,
  mode smallint not null,
  group_id uuid,
  owner uuid,
  label text not null,
  last_event uuid not null,
  constraint audience_pkey PRIMARY KEY (audience_id),
  constraint audience_group_id_fkey FOREIGN KEY (group_id) REFERENCES participant_group(group_id),
  constraint audience_owner_fkey FOREIGN KEY (owner) REFERENCES participant(participant_id),
  constraint audience_check CHECK (((kind = 2) = (group_id IS NOT NULL))),
  constraint audience_check1 CHECK (((kind = 3) = (owner IS NOT NULL)))
);
grant insert, select, update on audience to aldis_admin;
grant select on audience to aldis_app;
grant select on audience to aldis_integrator;
grant select on audience to aldis_ledger;
grant select on audience to aldis_projector;
grant select on audience to aldis_signer;

create table audience_member (
  audience_id uuid not null,
  participant_id uuid not null,
  from_seq bigint not null,
  until_seq bigint,
  constraint audience_member_pkey PRIMARY KEY (audience_id, participant_id, from_seq),
  constraint audience_member_audience_id_fkey FOREIGN KEY (audience_id) REFERENCES audience(audience_id),
  constraint audience_member_participant_id_fkey FOREIGN KEY (participant_id) REFERENCES participant(participant_id)
);
CREATE INDEX audience_member_participant ON public.audience_member USING btree (participant_id);
grant insert, select, update on audience_member to aldis_admin;
grant select on audience_member to aldis_app;
grant select on audience_member to aldis_integrator;
grant select on audience_member to aldis_ledger;
grant select on audience_member to aldis_projector;
grant select on audience_member to aldis_signer;

create table authority_epoch (
  one smallint not null,
  epoch bigint not null,
  constraint authority_epoch_pkey PRIMARY KEY (one),
  constraint authority_epoch_one_check CHECK ((one = 1))
);
grant insert, select, update on authority_epoch to aldis_admin;
grant select on authority_epoch to aldis_app;
grant select on authority_epoch to aldis_integrator;
grant select on authority_epoch to aldis_ledger;
grant select on authority_epoch to aldis_projector;
grant select on authority_epoch to aldis_signer;

create table bulk_item (
  participant_id uuid not null,
  job_id uuid not null,
  place smallint not null,
  case_id uuid not null,
  version integer not null,
  decision_id uuid not null,
  result smallint,
  done_at timestamp with time zone,
  undone boolean,
  constraint bulk_item_pkey PRIMARY KEY (participant_id, job_id, place),
  constraint bulk_item_participant_id_job_id_case_id_key UNIQUE (participant_id, job_id, case_id),
  constraint bulk_item_check CHECK (((result IS NULL) = (done_at IS NULL))),
  constraint bulk_item_place_check CHECK (((place >= 1) AND (place <= 1000)))
);
alter table bulk_item enable row level security;
alter table bulk_item force row level security;
create policy aldis_app_all on bulk_item for all to aldis_app using ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif"))) with check ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")));
grant insert, select, update (result, done_at, undone) on bulk_item to aldis_app;

create table bulk_job (
  participant_id uuid not null,
  job_id uuid not null,
  verdict smallint not null,
  reason text collate "C" not null,
  note_team text,
  note_shared text,
  n integer not null,
  digest bytea not null,
  state smallint not null,
  authority smallint not null,
  proposed_by text collate "C" not null,
  proposed_at timestamp with time zone not null,
  needs_second boolean not null,
  approved_by text collate "C",
  approved_digest bytea,
  expires_at timestamp with time zone,
  refusal text collate "C",
  ended_at timestamp with time zone,
  release_at timestamp with time zone,
  last_event uuid not null,
  constraint bulk_job_pkey PRIMARY KEY (participant_id, job_id),
  constraint bulk_job_check CHECK ((needs_second = (n > 25))),
  constraint bulk_job_check1 CHECK (((approved_by IS NULL) OR (lower(approved_by) <> lower(proposed_by)))),
  constraint bulk_job_check2 CHECK (((approved_by IS NULL) = (approved_digest IS NULL))),
  constraint bulk_job_check3 CHECK (((approved_digest IS NULL) OR (approved_digest = digest))),
  constraint bulk_job_check4 CHECK (((state = ANY (ARRAY[1, 6])) OR (NOT needs_second) OR (approved_by IS NOT NULL))),
  constraint bulk_job_digest_check CHECK ((length(digest) = 32)),
  constraint bulk_job_n_check CHECK (((n >= 1) AND (n <= 1000)))
);
CREATE INDEX bulk_job_live ON public.bulk_job USING btree (proposed_at) WHERE (state = ANY (ARRAY[1, 2, 4]));
CREATE INDEX bulk_job_proposed ON public.bulk_job USING btree (participant_id, proposed_at);
alter table bulk_job enable row level security;
alter table bulk_job force row level security;
create policy aldis_app_all on bulk_job for all to aldis_app using ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif"))) with check ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")));
create policy aldis_projector_select on bulk_job for select to aldis_projector using (true);
grant insert, select, update (state, approved_by, approved_digest, expires_at, refusal, ended_at, release_at, last_event) on bulk_job to aldis_app;
grant select on bulk_job to aldis_projector;

create table case_taken (
  participant_id uuid not null,
  event_id uuid not null,
  case_id uuid not null,
  taken_from text collate "C" not null,
  taken_by text collate "C" not null,
  at timestamp with time zone not null,
  constraint case_taken_pkey PRIMARY KEY (participant_id, event_id)
);
CREATE INDEX case_taken_at ON public.case_taken USING btree (participant_id, at);
alter table case_taken enable row level security;
alter table case_taken force row level security;
create policy aldis_app_all on case_taken for all to aldis_app using ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif"))) with check ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")));
grant insert, select on case_taken to aldis_app;

create table case_trigger (
  participant_id uuid not null,
  case_id uuid not null,
  kind text collate "C" not null,
  ref text collate "C" not null,
  at timestamp with time zone not null,
  last_event uuid not null,
  constraint case_trigger_pkey PRIMARY KEY (participant_id, case_id, kind, ref)
);
CREATE INDEX case_trigger_at ON public.case_trigger USING btree (participant_id, at);
alter table case_trigger enable row level security;
alter table case_trigger force row level security;
create policy aldis_app_all on case_trigger for all to aldis_app using ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif"))) with check ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")));
grant insert, select on case_trigger to aldis_app;

create table client_assertion (
  participant_id uuid not null,
  jti text collate "C" not null,
  ends_at timestamp with time zone not null,
  constraint client_assertion_pkey PRIMARY KEY (participant_id, jti)
);
alter table client_assertion enable row level security;
alter table client_assertion force row level security;
create policy aldis_app_all on client_assertion for all to aldis_app using ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif"))) with check ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")));
grant delete, insert, select on client_assertion to aldis_app;

create table conformance_run (
  participant_id uuid not null,
  run_id uuid not null,
  at timestamp with time zone not null,
  steps text collate "C" not null,
  passed boolean not null,
  last_event uuid not null,
  constraint conformance_run_pkey PRIMARY KEY (participant_id, run_id)
);
CREATE INDEX conformance_run_at ON public.conformance_run USING btree (participant_id, at);
alter table conformance_run enable row level security;
alter table conformance_run force row level security;
create policy aldis_app_all on conformance_run for all to aldis_app using ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif"))) with check ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")));
grant insert, select on conformance_run to aldis_app;

create table console_exposure (
  person_id uuid not null,
  day text collate "C" not null,
  seen integer not null,
  since_break integer not null,
  began_at timestamp with time zone not null,
  last_at timestamp with time zone not null,
  constraint console_exposure_pkey PRIMARY KEY (person_id, day),
  constraint console_exposure_person_id_fkey FOREIGN KEY (person_id) REFERENCES person(person_id),
  constraint console_exposure_seen_check CHECK ((seen >= 0)),
  constraint console_exposure_since_break_check CHECK ((since_break >= 0))
);
grant delete, insert, select, update (seen, since_break, began_at, last_at) on console_exposure to aldis_admin;

create table console_form (
  session_id uuid not null,
  once uuid not null,
  constraint console_form_pkey PRIMARY KEY (session_id, once),
  constraint console_form_session_id_fkey FOREIGN KEY (session_id) REFERENCES console_session(session_id) ON DELETE CASCADE
);
grant delete, insert, select on console_form to aldis_admin;

create table console_preference (
  person_id uuid not null,
  settings text collate "C" not null,
  notices_seen_at timestamp with time zone,
  updated_at timestamp with time zone not null,
  constraint console_preference_pkey PRIMARY KEY (person_id),
  constraint console_preference_person_id_fkey FOREIGN KEY (person_id) REFERENCES person(person_id)
);
grant insert, select, update (settings, notices_seen_at, updated_at) on console_preference to aldis_admin;

create table console_session (
  session_id uuid not null,
  cookie bytea not null,
  csrf bytea not null,
  person_id uuid not null,
  login_id uuid not null,
  claimed text[] not null,
  roles text[] not null,
  acr text,
  stepped_up boolean not null,
  auth_time timestamp with time zone not null,
  agent text not null,
  made_at timestamp with time zone not null,
  seen_at timestamp with time zone not null,
  ends_at timestamp with time zone not null,
  ended_at timestamp with time zone,
  end_reason text collate "C",
  constraint console_session_pkey PRIMARY KEY (session_id),
  constraint console_session_cookie_key UNIQUE (cookie),
  constraint console_session_login_id_fkey FOREIGN KEY (login_id) REFERENCES login(login_id),
  constraint console_session_person_id_fkey FOREIGN KEY (person_id) REFERENCES person(person_id),
  constraint console_session_check CHECK ((ends_at > made_at)),
  constraint console_session_check1 CHECK (((ended_at IS NULL) = (end_reason IS NULL))),
  constraint console_session_cookie_check CHECK ((length(cookie) = 32)),
  constraint console_session_csrf_check CHECK ((length(csrf) = 32))
);
CREATE INDEX console_session_ends ON public.console_session USING btree (ends_at);
CREATE INDEX console_session_person ON public.console_session USING btree (person_id) WHERE (ended_at IS NULL);
grant delete, insert, select, update (cookie, claimed, roles, acr, stepped_up, auth_time, seen_at, ended_at, end_reason) on console_session to aldis_admin;

create table credential (
  credential_id uuid not null,
  participant_id uuid not null,
  label text not null,
  spki bytea not null,
  scopes text[] not null,
  status smallint not null,
  not_before timestamp with time zone not null,
  not_after timestamp with time zone not null,
  last_event uuid not null,
  constraint credential_pkey PRIMARY KEY (credential_id),
  constraint credential_spki_key UNIQUE (spki),
  constraint credential_participant_id_fkey FOREIGN KEY (participant_id) REFERENCES participant(participant_id),
  constraint credential_check CHECK ((not_after > not_before)),
  constraint credential_spki_check CHECK ((length(spki) = 32))
);
CREATE INDEX credential_participant ON public.credential USING btree (participant_id);
grant insert, select, update on credential to aldis_admin;
grant select on credential to aldis_app;
grant select on credential to aldis_integrator;
grant select on credential to aldis_ledger;
grant select on credential to aldis_projector;
grant select on credential to aldis_signer;

create table decision (
  participant_id uuid not null,
  case_id uuid not null,
  seq integer not null,
  decision_id uuid not null,
  verdict smallint not null,
  reason text collate "C" not null,
  note_team text,
  note_shared text,
  category_suggested text collate "C",
  accounts_actioned integer,
  content_removed integer,
  urls_blocked integer,
  reports_filed integer,
  investigations_opened integer,
  authority smallint not null,
  decided_by text collate "C" not null,
  decided_at timestamp with time zone not null,
  needs_second boolean not null,
  supersedes integer,
  corrects boolean not null,
  approved_by text collate "C",
  release_at timestamp with time zone,
  released_at timestamp with time zone,
  ended_at timestamp with time zone,
  last_event uuid not null,
  job_id uuid,
  single_reviewed boolean not null default false,
  refused_by text collate "C",
  refusal text collate "C",
  revision integer,
  due_at timestamp with time zone,
  constraint decision_pkey PRIMARY KEY (participant_id, case_id, seq),
  constraint decision_participant_id_decision_id_key UNIQUE (participant_id, decision_id),
  constraint decision_accounts_actioned_check CHECK ((accounts_actioned >= 0)),
  constraint decision_check CHECK (((approved_by IS NULL) OR (approved_by <> decided_by))),
  constraint decision_check1 CHECK (((release_at IS NULL) OR (NOT needs_second) OR (approved_by IS NOT NULL))),
  constraint decision_check2 CHECK (((released_at IS NULL) OR (release_at IS NOT NULL))),
  constraint decision_check3 CHECK (((released_at IS NULL) OR (ended_at IS NULL))),
  constraint decision_content_removed_check CHECK ((content_removed >= 0)),
  constraint decision_investigations_opened_check CHECK ((investigations_opened >= 0)),
  constraint decision_reports_filed_check CHECK ((reports_filed >= 0)),
  constraint decision_revision_check CHECK ((revision >= 1)),
  constraint decision_seq_check CHECK ((seq >= 1)),
  constraint decision_urls_blocked_check CHECK ((urls_blocked >= 0))
);
CREATE INDEX decision_at ON public.decision USING btree (participant_id, decided_at);
CREATE INDEX decision_due ON public.decision USING btree (release_at) WHERE ((release_at IS NOT NULL) AND (released_at IS NULL) AND (ended_at IS NULL));
CREATE INDEX decision_ended ON public.decision USING btree (participant_id, last_event) WHERE (ended_at IS NOT NULL);
CREATE INDEX decision_job ON public.decision USING btree (participant_id, job_id) WHERE (job_id IS NOT NULL);
CREATE INDEX decision_second ON public.decision USING btree (participant_id, decided_at) WHERE needs_second;
alter table decision enable row level security;
alter table decision force row level security;
create policy aldis_app_all on decision for all to aldis_app using ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif"))) with check ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")));
create policy aldis_projector_select on decision for select to aldis_projector using (true);
grant insert, select, update (approved_by, release_at, released_at, ended_at, last_event, refused_by, refusal) on decision to aldis_app;
grant select on decision to aldis_projector;

create table dispute (
  participant_id uuid not null,
  dispute_id uuid not null,
  origin uuid not null,
  signal_id uuid not null,
  revision integer not null,
  ground text collate "C" not null,
  note text,
  authority smallint not null,
  told text not null,
  opened_at timestamp with time zone not null,
  due_at timestamp with time zone not null,
  last_event uuid not null,
  constraint dispute_pkey PRIMARY KEY (participant_id, dispute_id)
);
CREATE INDEX dispute_event ON public.dispute USING btree (participant_id, last_event);
alter table dispute enable row level security;
alter table dispute force row level security;
create policy aldis_app_all on dispute for all to aldis_app using ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif"))) with check ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")));
create policy aldis_projector_select on dispute for select to aldis_projector using (true);
grant insert, select on dispute to aldis_app;
grant select on dispute to aldis_projector;

create table dispute_answer (
  participant_id uuid not null,
  dispute_id uuid not null,
  opener uuid not null,
  signal_id uuid not null,
  revision integer not null,
  result text collate "C" not null,
  note text,
  told text not null,
  at timestamp with time zone not null,
  last_event uuid not null,
  constraint dispute_answer_pkey PRIMARY KEY (participant_id, dispute_id)
);
CREATE INDEX dispute_answer_event ON public.dispute_answer USING btree (participant_id, last_event);
alter table dispute_answer enable row level security;
alter table dispute_answer force row level security;
create policy aldis_admin_select on dispute_answer for select to aldis_admin using (true);
create policy aldis_app_all on dispute_answer for all to aldis_app using ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif"))) with check ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")));
create policy aldis_projector_select on dispute_answer for select to aldis_projector using (true);
grant select on dispute_answer to aldis_admin;
grant insert, select on dispute_answer to aldis_app;
grant select on dispute_answer to aldis_projector;

create table dispute_received (
  participant_id uuid not null,
  dispute_id uuid not null,
  opener uuid not null,
  signal_id uuid not null,
  revision integer not null,
  ground text collate "C" not null,
  note text,
  opened_at timestamp with time zone not null,
  due_at timestamp with time zone not null,
  constraint dispute_received_pkey PRIMARY KEY (participant_id, dispute_id)
);
alter table dispute_received enable row level security;
alter table dispute_received force row level security;
create policy aldis_admin_select on dispute_received for select to aldis_admin using (true);
create policy aldis_app_all on dispute_received for all to aldis_app using ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif"))) with check ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")));
grant select on dispute_received to aldis_admin;
grant insert, select on dispute_received to aldis_app;

create table dispute_result (
  participant_id uuid not null,
  dispute_id uuid not null,
  result text collate "C" not null,
  note text,
  at timestamp with time zone not null,
  constraint dispute_result_pkey PRIMARY KEY (participant_id, dispute_id)
);
alter table dispute_result enable row level security;
alter table dispute_result force row level security;
create policy aldis_app_all on dispute_result for all to aldis_app using ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif"))) with check ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")));
grant insert, select on dispute_result to aldis_app;

create table enrolment (
  enrolment_id uuid not null,
  participant_id uuid not null,
  label text not null,
  scopes text[] not null,
  code bytea not null,
  expires_at timestamp with time zone not null,
  tries smallint not null,
  used_at timestamp with time zone,
  last_event uuid not null,
  read_back boolean not null default false,
  credential_id uuid,
  spki bytea,
  signing_jwk text collate "C",
  constraint enrolment_pkey PRIMARY KEY (enrolment_id),
  constraint enrolment_code_key UNIQUE (code),
  constraint enrolment_code_check CHECK ((length(code) = 32)),
  constraint enrolment_spki_check CHECK ((length(spki) = 32)),
  constraint enrolment_tries_check CHECK (((tries >= 0) AND (tries <= 5)))
);
grant insert, select, update (tries, used_at, last_event, credential_id, spki, signing_jwk) on enrolment to aldis_admin;
grant select (enrolment_id, participant_id, scopes, expires_at, tries, used_at, last_event) on enrolment to aldis_ledger;

create table epoch_key (
  epoch integer not null,
  stale_at timestamp with time zone not null,
  rewrapped_at timestamp with time zone,
  destroyed_at timestamp with time zone,
  constraint epoch_key_pkey PRIMARY KEY (epoch)
);
grant insert, select, update on epoch_key to aldis_admin;

create table erasure (
  participant_id uuid not null,
  event_id uuid not null,
  request_id uuid not null,
  at timestamp with time zone not null,
  basis text collate "C" not null,
  notified integer not null,
  constraint erasure_pkey PRIMARY KEY (participant_id, event_id)
);
alter table erasure enable row level security;
alter table erasure force row level security;
create policy aldis_admin_all on erasure for all to aldis_admin using (true) with check (true);
grant insert, select on erasure to aldis_admin;

create table erasure_notice (
  participant_id uuid not null,
  event_id uuid not null,
  constraint erasure_notice_pkey PRIMARY KEY (participant_id, event_id)
);
alter table erasure_notice enable row level security;
alter table erasure_notice force row level security;
create policy aldis_admin_all on erasure_notice for all to aldis_admin using (true) with check (true);
create policy aldis_app_select on erasure_notice for select to aldis_app using ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")));
grant insert, select on erasure_notice to aldis_admin;
grant select on erasure_notice to aldis_app;

create table evaluation_batch (
  participant_id uuid not null,
  batch_key uuid not null,
  digest bytea not null,
  kid text collate "C" not null,
  purpose text collate "C" not null,
  n integer not null,
  at timestamp with time zone not null,
  event_id uuid,
  constraint evaluation_batch_pkey PRIMARY KEY (participant_id, batch_key),
  constraint evaluation_batch_digest_check CHECK ((length(digest) = 32)),
  constraint evaluation_batch_n_check CHECK (((n >= 1) AND (n <= 256)))
);
alter table evaluation_batch enable row level security;
alter table evaluation_batch force row level security;
create policy aldis_app_all on evaluation_batch for all to aldis_app using ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif"))) with check ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")));
create policy aldis_ledger_select on evaluation_batch for select to aldis_ledger using (true);
grant delete, insert, select, update on evaluation_batch to aldis_app;
grant select on evaluation_batch to aldis_ledger;

create table evaluation_quota (
  participant_id uuid not null,
  purpose text collate "C" not null,
  per_day integer not null,
  last_event uuid not null,
  constraint evaluation_quota_pkey PRIMARY KEY (participant_id, purpose),
  constraint evaluation_quota_per_day_check CHECK (((per_day >= 0) AND (per_day <= 1000000000)))
);
grant insert, select, update on evaluation_quota to aldis_admin;
grant select on evaluation_quota to aldis_app;
grant select on evaluation_quota to aldis_integrator;
grant select on evaluation_quota to aldis_ledger;
grant select on evaluation_quota to aldis_projector;
grant select on evaluation_quota to aldis_signer;

create table evaluation_use (
  participant_id uuid not null,
  day date not null,
  purpose text collate "C" not null,
  used integer not null,
  constraint evaluation_use_pkey PRIMARY KEY (participant_id, day, purpose),
  constraint evaluation_use_used_check CHECK ((used > 0))
);
alter table evaluation_use enable row level security;
alter table evaluation_use force row level security;
create policy aldis_app_all on evaluation_use for all to aldis_app using ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif"))) with check ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")));
create policy aldis_ledger_select on evaluation_use for select to aldis_ledger using (true);
grant insert, select, update on evaluation_use to aldis_app;
grant select on evaluation_use to aldis_ledger;

create table feed (
  feed_id uuid not null,
  log_id integer not null,
  kind smallint not null,
  audience_id uuid,
  participant_id uuid,
  constraint feed_pkey PRIMARY KEY (feed_id),
  constraint feed_audience_id_key UNIQUE (audience_id),
  constraint feed_participant_id_key UNIQUE (participant_id),
  constraint feed_audience_id_fkey FOREIGN KEY (audience_id) REFERENCES audience(audience_id),
  constraint feed_participant_id_fkey FOREIGN KEY (participant_id) REFERENCES participant(participant_id),
  constraint feed_check CHECK (((kind = 1) = (audience_id IS NOT NULL))),
  constraint feed_check1 CHECK (((kind = 2) = (participant_id IS NOT NULL)))
);
grant insert, select on feed to aldis_admin;
grant select on feed to aldis_app;
grant select on feed to aldis_integrator;
grant select on feed to aldis_ledger;
grant select on feed to aldis_projector;
grant select on feed to aldis_signer;

create table feed_ack (
  participant_id uuid not null,
  feed_id uuid not null,
  stage smallint not null,
  seq bigint not null,
  last_event uuid not null,
  constraint feed_ack_pkey PRIMARY KEY (participant_id, feed_id, stage)
);
alter table feed_ack enable row level security;
alter table feed_ack force row level security;
create policy aldis_admin_all on feed_ack for all to aldis_admin using (true) with check (true);
create policy aldis_app_all on feed_ack for all to aldis_app using ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif"))) with check ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")));
create policy aldis_ledger_select on feed_ack for select to aldis_ledger using (true);
grant select on feed_ack to aldis_admin;
grant insert, select, update on feed_ack to aldis_app;
grant select (participant_id, feed_id, stage, seq, last_event) on feed_ack to aldis_ledger;

create table feed_entry (
  feed_id uuid not null,
  seq bigint not null,
  log_idx bigint not null,
  kind smallint not null,
  origin uuid not null,
  signal_id uuid not null,
  revision integer not null,
  submission_id uuid not null,
  body text collate "C" not null,
  added_us bigint not null default 0,
  object_key bytea generated always as (substr(uuid_send(signal_id), 2, 4) || substr(sha256(uuid_send(signal_id)), 14, 3)) stored,
  constraint feed_entry_pkey PRIMARY KEY (feed_id, seq)
);
CREATE INDEX feed_entry_object ON public.feed_entry USING btree (feed_id, object_key);
CREATE INDEX feed_entry_signal ON public.feed_entry USING btree (feed_id, signal_id, seq);
alter table feed_entry enable row level security;
alter table feed_entry force row level security;
create policy aldis_admin_all on feed_entry for all to aldis_admin using (true) with check (true);
create policy aldis_app_select on feed_entry for select to aldis_app using ((feed_id IN ( SELECT f.feed_id
   FROM feed f
  WHERE ((f.participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")) OR (f.audience_id IN ( SELECT m.audience_id
           FROM audience_member m
          WHERE (m.participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif"))))))));
create policy aldis_ledger_select on feed_entry for select to aldis_ledger using (true);
create policy aldis_projector_all on feed_entry for all to aldis_projector using (true) with check (true);
grant select, update (body) on feed_entry to aldis_admin;
grant select on feed_entry to aldis_app;
grant select (feed_id, seq, kind, origin, signal_id, revision) on feed_entry to aldis_ledger;
grant insert, select on feed_entry to aldis_projector;

create table feed_head (
  feed_id uuid not null,
  next_seq bigint not null,
  applied_idx bigint not null,
  added_us bigint not null,
  retained_from bigint not null,
  sealed_seq bigint not null,
  erasures bigint not null default 0,
  constraint feed_head_pkey PRIMARY KEY (feed_id)
);
alter table feed_head enable row level security;
alter table feed_head force row level security;
create policy aldis_admin_insert on feed_head for insert to aldis_admin with check (true);
create policy aldis_admin_select on feed_head for select to aldis_admin using (true);
create policy aldis_admin_update on feed_head for update to aldis_admin using (true) with check (true);
create policy aldis_app_select on feed_head for select to aldis_app using ((feed_id IN ( SELECT f.feed_id
   FROM feed f
  WHERE ((f.participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")) OR (f.audience_id IN ( SELECT m.audience_id
           FROM audience_member m
          WHERE (m.participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif"))))))));
create policy aldis_projector_all on feed_head for all to aldis_projector using (true) with check (true);
grant insert, select, update (erasures) on feed_head to aldis_admin;
grant select on feed_head to aldis_app;
grant insert, select, update on feed_head to aldis_projector;

create table feed_pause (
  feed_id uuid not null,
  paused boolean not null,
  reason text collate "C" not null,
  at timestamp with time zone not null,
  last_event uuid not null,
  constraint feed_pause_pkey PRIMARY KEY (feed_id),
  constraint feed_pause_feed_id_fkey FOREIGN KEY (feed_id) REFERENCES feed(feed_id)
);
grant insert, select, update on feed_pause to aldis_admin;
grant select on feed_pause to aldis_app;
grant select on feed_pause to aldis_integrator;
grant select on feed_pause to aldis_ledger;
grant select on feed_pause to aldis_projector;
grant select on feed_pause to aldis_signer;

create table feed_segment (
  feed_id uuid not null,
  first_seq bigint not null,
  generation integer not null,
  n integer not null,
  digest bytea not null,
  set_salt bytea not null,
  sets text not null,
  bytes bytea not null,
  constraint feed_segment_pkey PRIMARY KEY (feed_id, first_seq, generation),
  constraint feed_segment_digest_check CHECK ((length(digest) = 32)),
  constraint feed_segment_set_salt_check CHECK ((length(set_salt) = 32))
);
alter table feed_segment enable row level security;
alter table feed_segment force row level security;
create policy aldis_admin_all on feed_segment for all to aldis_admin using (true) with check (true);
create policy aldis_app_select on feed_segment for select to aldis_app using ((feed_id IN ( SELECT f.feed_id
   FROM feed f
  WHERE ((f.participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")) OR (f.audience_id IN ( SELECT m.audience_id
           FROM audience_member m
          WHERE (m.participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif"))))))));
create policy aldis_projector_all on feed_segment for all to aldis_projector using (true) with check (true);
grant delete, insert, select on feed_segment to aldis_admin;
grant select on feed_segment to aldis_app;
grant insert, select on feed_segment to aldis_projector;

create table feed_submission (
  feed_id uuid not null,
  submission_id uuid not null,
  body text collate "C" not null,
  constraint feed_submission_pkey PRIMARY KEY (feed_id, submission_id)
);
alter table feed_submission enable row level security;
alter table feed_submission force row level security;
create policy aldis_admin_all on feed_submission for all to aldis_admin using (true) with check (true);
create policy aldis_app_select on feed_submission for select to aldis_app using ((feed_id IN ( SELECT f.feed_id
   FROM feed f
  WHERE ((f.participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")) OR (f.audience_id IN ( SELECT m.audience_id
           FROM audience_member m
          WHERE (m.participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif"))))))));
create policy aldis_projector_all on feed_submission for all to aldis_projector using (true) with check (true);
grant select on feed_submission to aldis_admin;
grant select on feed_submission to aldis_app;
grant insert, select on feed_submission to aldis_projector;

create table feedback (
  participant_id uuid not null,
  feedback_id uuid not null,
  origin uuid not null,
  signal_id uuid not null,
  revision integer not null,
  outcome smallint not null,
  authority smallint not null,
  own_hits integer not null,
  recurrences integer not null,
  supersedes uuid,
  told text not null,
  at timestamp with time zone not null,
  constraint feedback_pkey PRIMARY KEY (participant_id, feedback_id)
);
CREATE INDEX feedback_of ON public.feedback USING btree (participant_id, origin, signal_id, feedback_id);
alter table feedback enable row level security;
alter table feedback force row level security;
create policy aldis_app_all on feedback for all to aldis_app using ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif"))) with check ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")));
create policy aldis_projector_select on feedback for select to aldis_projector using (true);
grant insert, select on feedback to aldis_app;
grant select on feedback to aldis_projector;

create table government_request (
  request_id uuid not null,
  country text collate "C" not null,
  kind text collate "C" not null,
  asked integer not null,
  basis text collate "C" not null,
  reference text not null,
  received_at timestamp with time zone not null,
  opened_by uuid not null,
  outcome text collate "C",
  disclosed integer,
  closed_at timestamp with time zone,
  last_event uuid not null,
  constraint government_request_pkey PRIMARY KEY (request_id),
  constraint government_request_opened_by_fkey FOREIGN KEY (opened_by) REFERENCES person(person_id),
  constraint government_request_asked_check CHECK ((asked >= 0)),
  constraint government_request_disclosed_check CHECK ((disclosed >= 0))
);
grant insert, select, update (outcome, disclosed, closed_at, last_event) on government_request to aldis_admin;

create table group_member (
  group_id uuid not null,
  participant_id uuid not null,
  joined_at timestamp with time zone not null,
  left_at timestamp with time zone,
  last_event uuid not null,
  constraint group_member_pkey PRIMARY KEY (group_id, participant_id, joined_at),
  constraint group_member_group_id_fkey FOREIGN KEY (group_id) REFERENCES participant_group(group_id),
  constraint group_member_participant_id_fkey FOREIGN KEY (participant_id) REFERENCES participant(participant_id)
);
grant insert, select, update on group_member to aldis_admin;
grant select on group_member to aldis_app;
grant select on group_member to aldis_integrator;
grant select on group_member to aldis_ledger;
grant select on group_member to aldis_projector;
grant select on group_member to aldis_signer;

create table handshake_refusal (
  minute timestamp with time zone not null,
  address text collate "C" not null,
  reason text collate "C" not null,
  count integer not null,
  constraint handshake_refusal_pkey PRIMARY KEY (minute, address, reason)
);
grant delete, insert, select, update on handshake_refusal to aldis_admin;

create table hash_profile (
  kid text collate "C" not null,
  suite text not null,
  status smallint not null,
  not_before timestamp with time zone not null,
  not_after timestamp with time zone not null,
  last_event uuid not null,
  public_key bytea,
  shares text,
  published uuid,
  constraint hash_profile_pkey PRIMARY KEY (kid),
  constraint hash_profile_check CHECK ((not_after > not_before)),
  constraint hash_profile_suite_check CHECK ((suite = ANY (ARRAY['hmac-sha256'::text, 'oprf-ristretto255-sha512'::text])))
);
grant insert, select, update on hash_profile to aldis_admin;
grant select on hash_profile to aldis_app;
grant select on hash_profile to aldis_integrator;
grant select on hash_profile to aldis_ledger;
grant select on hash_profile to aldis_projector;
grant select on hash_profile to aldis_signer;

create table hit (
  participant_id uuid not null,
  origin uuid not null,
  signal_id uuid not null,
  signal_key bytea not null,
  count integer not null,
  last_at timestamp with time zone not null,
  own_ref text collate "C",
  acted_count integer,
  last_event uuid not null,
  constraint hit_pkey PRIMARY KEY (participant_id, origin, signal_id),
  constraint hit_count_check CHECK ((count >= 0)),
  constraint hit_signal_key_check CHECK ((length(signal_key) = 32))
);
CREATE INDEX hit_acted ON public.hit USING btree (participant_id, signal_id) WHERE (acted_count IS NOT NULL);
alter table hit enable row level security;
alter table hit force row level security;
create policy aldis_app_all on hit for all to aldis_app using ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif"))) with check ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")));
grant insert, select, update on hit to aldis_app;

create table hold_switch (
  region text collate "C" not null,
  legal_basis text collate "C" not null,
  surface text collate "C" not null,
  held boolean not null,
  last_event uuid not null,
  constraint hold_switch_pkey PRIMARY KEY (region, legal_basis, surface)
);
grant insert, select, update on hold_switch to aldis_admin;
grant select on hold_switch to aldis_app;
grant select on hold_switch to aldis_integrator;
grant select on hold_switch to aldis_ledger;
grant select on hold_switch to aldis_projector;
grant select on hold_switch to aldis_signer;

create table idempotency_key (
  participant_id uuid not null,
  credential_id uuid not null,
  key_digest bytea not null,
  request_digest bytea not null,
  claim uuid not null,
  claimed_until timestamp with time zone not null,
  changed boolean not null,
  done boolean not null,
  answer bytea,
  replays integer not null,
  expires_at timestamp with time zone not null,
  constraint idempotency_key_pkey PRIMARY KEY (participant_id, credential_id, key_digest),
  constraint idempotency_key_key_digest_check CHECK ((octet_length(key_digest) = 32)),
  constraint idempotency_key_request_digest_check CHECK ((octet_length(request_digest) = 32))
);
CREATE INDEX idempotency_key_expires ON public.idempotency_key USING btree (participant_id, expires_at);
alter table idempotency_key enable row level security;
alter table idempotency_key force row level security;
create policy aldis_admin_all on idempotency_key for all to aldis_admin using (true);
create policy aldis_app_all on idempotency_key for all to aldis_app using ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif"))) with check ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")));
grant delete, select (participant_id, credential_id, key_digest, expires_at) on idempotency_key to aldis_admin;
grant delete, insert, select, update on idempotency_key to aldis_app;

create table idempotency_use (
  participant_id uuid not null,
  day date not null,
  used integer not null,
  constraint idempotency_use_pkey PRIMARY KEY (participant_id, day)
);
alter table idempotency_use enable row level security;
alter table idempotency_use force row level security;
create policy aldis_app_all on idempotency_use for all to aldis_app using ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif"))) with check ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")));
grant delete, insert, select, update on idempotency_use to aldis_app;

create table legal_hold (
  hold_id uuid not null,
  participant_id uuid not null,
  what text collate "C" not null,
  reason text collate "C" not null,
  placed_at timestamp with time zone not null,
  lifted_at timestamp with time zone,
  last_event uuid not null,
  constraint legal_hold_pkey PRIMARY KEY (hold_id),
  constraint legal_hold_what_check CHECK ((what = ANY (ARRAY['reads'::text, 'signals'::text, 'all'::text])))
);
CREATE INDEX legal_hold_placed ON public.legal_hold USING btree (participant_id) WHERE (lifted_at IS NULL);
grant insert, select, update (lifted_at, last_event) on legal_hold to aldis_admin;

create table log_batch (
  log_id integer not null,
  first_idx bigint not null,
  n integer not null,
  data bytea not null,
  constraint log_batch_pkey PRIMARY KEY (log_id, first_idx),
  constraint log_batch_n_check CHECK (((n >= 1) AND (n <= 4096)))
);
grant select on log_batch to aldis_admin;
grant insert, select on log_batch to aldis_integrator;
grant select on log_batch to aldis_ledger;
grant select on log_batch to aldis_projector;
grant select on log_batch to aldis_signer;

create table log_chain (
  log_id integer not null,
  party text collate "C" not null,
  seq bigint not null,
  link bytea not null,
  constraint log_chain_pkey PRIMARY KEY (log_id, party),
  constraint log_chain_link_check CHECK ((length(link) = 32))
);
grant insert, select, update on log_chain to aldis_integrator;
grant select on log_chain to aldis_ledger;

create table log_chain_seg (
  log_id integer not null,
  party text collate "C" not null,
  first_seq bigint not null,
  n integer not null,
  data bytea not null,
  constraint log_chain_seg_pkey PRIMARY KEY (log_id, party, first_seq)
);
grant insert, select on log_chain_seg to aldis_integrator;
grant select on log_chain_seg to aldis_ledger;

create table log_checkpoint (
  log_id integer not null,
  size bigint not null,
  at timestamp with time zone not null,
  note text not null,
  constraint log_checkpoint_pkey PRIMARY KEY (log_id, size, at)
);
grant select on log_checkpoint to aldis_app;
grant select on log_checkpoint to aldis_ledger;
grant insert, select on log_checkpoint to aldis_signer;

create table log_cosignature (
  log_id integer not null,
  size bigint not null,
  witness text collate "C" not null,
  seconds bigint not null,
  line text not null,
  constraint log_cosignature_pkey PRIMARY KEY (log_id, size, witness, seconds)
);
grant insert on log_cosignature to aldis_signer;

create table log_entry (
  log_id integer not null,
  idx bigint not null,
  event_id uuid not null,
  participant_id uuid not null,
  kind text collate "C" not null,
  actor text collate "C" not null,
  at timestamp with time zone not null,
  logged_at timestamp with time zone not null,
  recipients text[] not null,
  constraint log_entry_pkey PRIMARY KEY (log_id, idx)
);
CREATE INDEX log_entry_actor ON public.log_entry USING btree (log_id, actor, idx);
CREATE INDEX log_entry_kind ON public.log_entry USING btree (log_id, kind, idx);
CREATE INDEX log_entry_logged ON public.log_entry USING btree (log_id, logged_at, idx);
alter table log_entry enable row level security;
alter table log_entry force row level security;
create policy aldis_ledger_select on log_entry for select to aldis_ledger using (true);
create policy aldis_projector_all on log_entry for all to aldis_projector using (true) with check (true);
grant select on log_entry to aldis_ledger;
grant insert, select on log_entry to aldis_projector;

create table log_event (
  log_id integer not null,
  event_id uuid not null,
  idx bigint not null,
  constraint log_event_pkey PRIMARY KEY (log_id, event_id)
);
grant select on log_event to aldis_admin;
grant insert, select on log_event to aldis_integrator;
grant select on log_event to aldis_ledger;

create table log_fence (
  log_id integer not null,
  size bigint not null,
  root bytea not null,
  constraint log_fence_pkey PRIMARY KEY (log_id),
  constraint log_fence_root_check CHECK ((length(root) = 32))
);
grant insert, select on log_fence to aldis_admin;
grant insert, select, update on log_fence to aldis_integrator;
grant select on log_fence to aldis_projector;
grant select on log_fence to aldis_signer;

create table log_head (
  log_id integer not null,
  origin text collate "C" not null,
  size bigint not null,
  root bytea not null,
  edges bytea not null,
  closed_size bigint,
  constraint log_head_pkey PRIMARY KEY (log_id),
  constraint log_head_root_check CHECK ((length(root) = 32))
);
grant insert, select, update (closed_size) on log_head to aldis_admin;
grant select on log_head to aldis_app;
grant insert, select, update on log_head to aldis_integrator;
grant select on log_head to aldis_ledger;
grant select on log_head to aldis_projector;
grant select on log_head to aldis_signer;

create table log_mention (
  log_id integer not null,
  term text collate "C" not null,
  idx bigint not null,
  constraint log_mention_pkey PRIMARY KEY (log_id, term, idx)
);
alter table log_mention enable row level security;
alter table log_mention force row level security;
create policy aldis_ledger_select on log_mention for select to aldis_ledger using (true);
create policy aldis_projector_all on log_mention for all to aldis_projector using (true) with check (true);
grant select on log_mention to aldis_ledger;
grant insert, select on log_mention to aldis_projector;

create table log_outage (
  log_id integer not null,
  policy text collate "C",
  policy_at timestamp with time zone,
  since timestamp with time zone,
  ended timestamp with time zone,
  constraint log_outage_pkey PRIMARY KEY (log_id)
);
grant insert, select, update on log_outage to aldis_signer;

create table log_published (
  log_id integer not null,
  size bigint not null,
  at timestamp with time zone not null,
  note text not null,
  cosigned integer not null,
  wanted integer not null,
  quorum boolean not null,
  constraint log_published_pkey PRIMARY KEY (log_id)
);
grant select on log_published to aldis_ledger;
grant insert, select, update on log_published to aldis_signer;

create table log_signed (
  log_id integer not null,
  size bigint not null,
  root bytea not null,
  range bytea not null,
  at timestamp with time zone not null,
  constraint log_signed_pkey PRIMARY KEY (log_id),
  constraint log_signed_root_check CHECK ((length(root) = 32))
);
grant insert, select, update (at) on log_signed to aldis_admin;
grant select on log_signed to aldis_app;
grant select on log_signed to aldis_ledger;
grant insert, select, update on log_signed to aldis_signer;

create table log_tile (
  log_id integer not null,
  level smallint not null,
  n bigint not null,
  data bytea not null,
  constraint log_tile_pkey PRIMARY KEY (log_id, level, n),
  constraint log_tile_level_check CHECK (((level >= '-1'::integer) AND (level <= 7)))
);
grant select on log_tile to aldis_app;
grant insert, select on log_tile to aldis_integrator;
grant select on log_tile to aldis_ledger;

create table log_witness (
  log_id integer not null,
  witness text collate "C" not null,
  size bigint not null,
  seconds bigint not null,
  missing_since timestamp with time zone,
  constraint log_witness_pkey PRIMARY KEY (log_id, witness)
);
grant select on log_witness to aldis_ledger;
grant insert, select, update on log_witness to aldis_signer;

create table login (
  login_id uuid not null,
  person_id uuid not null,
  issuer text collate "C" not null,
  subject text collate "C" not null,
  given_at timestamp with time zone not null,
  ended_at timestamp with time zone,
  last_event uuid not null,
  constraint login_pkey PRIMARY KEY (login_id),
  constraint login_person_id_fkey FOREIGN KEY (person_id) REFERENCES person(person_id)
);
CREATE UNIQUE INDEX login_live ON public.login USING btree (issuer, subject) WHERE (ended_at IS NULL);
CREATE INDEX login_person ON public.login USING btree (person_id);
grant insert, select, update (ended_at, last_event) on login to aldis_admin;
grant select on login to aldis_ledger;

create table lookup_day (
  participant_id uuid not null,
  day date not null,
  lookups bigint not null,
  with_hits bigint not null,
  constraint lookup_day_pkey PRIMARY KEY (participant_id, day)
);
grant delete, insert, select, update (lookups, with_hits) on lookup_day to aldis_admin;

create table network_day (
  participant_id uuid not null,
  credential_id uuid not null,
  day date not null,
  network bytea not null,
  constraint network_day_pkey PRIMARY KEY (participant_id, credential_id, day, network),
  constraint network_day_network_check CHECK ((octet_length(network) = 16))
);
CREATE INDEX network_day_old ON public.network_day USING btree (day);
grant delete, insert, select on network_day to aldis_admin;

create table onboarding (
  onboarding_id uuid not null,
  slug text collate "C" not null,
  name text not null,
  kind smallint not null,
  opened_by uuid not null,
  opened_at timestamp with time zone not null,
  outcome smallint,
  closed_at timestamp with time zone,
  last_event uuid not null,
  constraint onboarding_pkey PRIMARY KEY (onboarding_id),
  constraint onboarding_opened_by_fkey FOREIGN KEY (opened_by) REFERENCES person(person_id),
  constraint onboarding_check CHECK (((outcome IS NULL) = (closed_at IS NULL))),
  constraint onboarding_slug_check CHECK ((slug ~ '^[a-z0-9][a-z0-9-]{1,62}$'::text))
);
CREATE UNIQUE INDEX onboarding_open ON public.onboarding USING btree (slug) WHERE (closed_at IS NULL);
grant insert, select, update (outcome, closed_at, last_event) on onboarding to aldis_admin;
grant select (onboarding_id, slug, kind, outcome, last_event) on onboarding to aldis_ledger;

create table onboarding_item (
  onboarding_id uuid not null,
  item text collate "C" not null,
  state smallint not null,
  version text collate "C",
  digest bytea not null,
  signatory text,
  provided_by uuid not null,
  provided_at timestamp with time zone not null,
  judged_by uuid,
  judged_at timestamp with time zone,
  last_event uuid not null,
  constraint onboarding_item_pkey PRIMARY KEY (onboarding_id, item),
  constraint onboarding_item_judged_by_fkey FOREIGN KEY (judged_by) REFERENCES person(person_id),
  constraint onboarding_item_onboarding_id_fkey FOREIGN KEY (onboarding_id) REFERENCES onboarding(onboarding_id),
  constraint onboarding_item_provided_by_fkey FOREIGN KEY (provided_by) REFERENCES person(person_id),
  constraint onboarding_item_check CHECK ((judged_by <> provided_by)),
  constraint onboarding_item_digest_check CHECK ((length(digest) = 32))
);
grant insert, select, update (state, version, digest, signatory, provided_by, provided_at, judged_by, judged_at, last_event) on onboarding_item to aldis_admin;
grant select (onboarding_id, item, state, version, digest, last_event) on onboarding_item to aldis_ledger;

create table participant (
  participant_id uuid not null,
  slug text collate "C" not null,
  name text not null,
  kind smallint not null,
  status smallint not null,
  admitted_at timestamp with time zone not null,
  last_event uuid not null,
  probation_until timestamp with time zone,
  constraint participant_pkey PRIMARY KEY (participant_id),
  constraint participant_slug_key UNIQUE (slug),
  constraint participant_slug_check CHECK (((slug ~ '^[a-z0-9][a-z0-9-]{1,62}$'::text) AND (slug <> 'node'::text)))
);
grant insert, select, update on participant to aldis_admin;
grant select on participant to aldis_app;
grant select on participant to aldis_integrator;
grant select on participant to aldis_ledger;
grant select on participant to aldis_projector;
grant select on participant to aldis_signer;

create table participant_group (
  group_id uuid not null,
  slug text collate "C" not null,
  name text not null,
  last_event uuid not null,
  ended_at timestamp with time zone,
  constraint participant_group_pkey PRIMARY KEY (group_id),
  constraint participant_group_slug_key UNIQUE (slug),
  constraint participant_group_slug_check CHECK ((slug ~ '^[a-z0-9][a-z0-9-]{1,62}$'::text))
);
grant insert, select, update on participant_group to aldis_admin;
grant select on participant_group to aldis_app;
grant select on participant_group to aldis_integrator;
grant select on participant_group to aldis_ledger;
grant select on participant_group to aldis_projector;
grant select on participant_group to aldis_signer;

create table person (
  person_id uuid not null,
  organisation text collate "C" not null,
  name text not null,
  status smallint not null,
  last_event uuid not null,
  constraint person_pkey PRIMARY KEY (person_id),
  constraint person_person_id_organisation_key UNIQUE (person_id, organisation)
);
grant insert, select, update on person to aldis_admin;
grant select (person_id, organisation, status, last_event) on person to aldis_ledger;

create table policy (
  kind text collate "C" not null,
  version integer not null,
  digest bytea not null,
  body text not null,
  published_at timestamp with time zone not null,
  last_event uuid not null,
  constraint policy_pkey PRIMARY KEY (kind, version),
  constraint policy_digest_check CHECK ((length(digest) = 32))
);
grant insert, select on policy to aldis_admin;
grant select on policy to aldis_app;
grant select on policy to aldis_integrator;
grant select on policy to aldis_ledger;
grant select on policy to aldis_projector;
grant select on policy to aldis_signer;

create table programme (
  programme_id uuid not null,
  slug text collate "C" not null,
  trust_domain text collate "C" not null,
  node_origin text collate "C" not null,
  created_at timestamp with time zone not null,
  constraint programme_pkey PRIMARY KEY (programme_id),
  constraint programme_slug_key UNIQUE (slug)
);
grant insert, select on programme to aldis_admin;
grant select on programme to aldis_app;
grant select on programme to aldis_integrator;
grant select on programme to aldis_ledger;
grant select on programme to aldis_projector;
grant select on programme to aldis_signer;

create table projector (
  log_id integer not null,
  name text collate "C" not null,
  next_idx bigint not null,
  constraint projector_pkey PRIMARY KEY (log_id, name)
);
grant select on projector to aldis_admin;
grant select on projector to aldis_app;
grant select on projector to aldis_ledger;
grant insert, select, update on projector to aldis_projector;

create table prov_outbox (
  event_id uuid not null,
  participant_id uuid not null,
  log_id integer not null,
  at timestamp with time zone not null,
  c bytea not null,
  parties text collate "C" not null,
  after uuid,
  constraint prov_outbox_pkey PRIMARY KEY (event_id, participant_id),
  constraint prov_outbox_c_check CHECK ((length(c) = 32))
);
alter table prov_outbox enable row level security;
alter table prov_outbox force row level security;
create policy aldis_admin_insert on prov_outbox for insert to aldis_admin with check (true);
create policy aldis_app_all on prov_outbox for all to aldis_app using ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif"))) with check ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")));
create policy aldis_integrator_all on prov_outbox for all to aldis_integrator using (true);
create policy aldis_ledger_select on prov_outbox for select to aldis_ledger using (true);
grant insert on prov_outbox to aldis_admin;
grant insert on prov_outbox to aldis_app;
grant delete, select on prov_outbox to aldis_integrator;
grant select (event_id, participant_id, log_id) on prov_outbox to aldis_ledger;

create table prov_record (
  participant_id uuid not null,
  event_id uuid not null,
  log_id integer not null,
  kind text collate "C" not null,
  at timestamp with time zone not null,
  payload text not null,
  c bytea not null,
  body bytea not null,
  epoch integer not null,
  constraint prov_record_pkey PRIMARY KEY (participant_id, event_id),
  constraint prov_record_c_check CHECK ((length(c) = 32))
);
alter table prov_record enable row level security;
alter table prov_record force row level security;
create policy aldis_admin_all on prov_record for all to aldis_admin using (true) with check (true);
create policy aldis_app_all on prov_record for all to aldis_app using ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif"))) with check ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")));
create policy aldis_ledger_select on prov_record for select to aldis_ledger using (true);
create policy aldis_projector_select on prov_record for select to aldis_projector using (true);
grant insert, select, update (body, epoch) on prov_record to aldis_admin;
grant insert, select on prov_record to aldis_app;
grant select on prov_record to aldis_ledger;
grant select on prov_record to aldis_projector;

create table question_answer (
  participant_id uuid not null,
  answer_id uuid not null,
  asker uuid not null,
  signal_id uuid not null,
  revision integer not null,
  told text not null,
  at timestamp with time zone not null,
  constraint question_answer_pkey PRIMARY KEY (participant_id, answer_id)
);
CREATE INDEX question_answer_of ON public.question_answer USING btree (participant_id, signal_id, asker, at);
alter table question_answer enable row level security;
alter table question_answer force row level security;
create policy aldis_app_all on question_answer for all to aldis_app using ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif"))) with check ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")));
create policy aldis_projector_select on question_answer for select to aldis_projector using (true);
grant insert, select on question_answer to aldis_app;
grant select on question_answer to aldis_projector;

create table read_batch (
  participant_id uuid not null,
  batch_no bigint not null,
  event_id uuid not null,
  n integer not null,
  root bytea not null,
  expired_by uuid,
  constraint read_batch_pkey PRIMARY KEY (participant_id, batch_no),
  constraint read_batch_root_check CHECK ((length(root) = 32))
);
CREATE INDEX read_batch_expired ON public.read_batch USING btree (participant_id, event_id) WHERE (expired_by IS NOT NULL);
alter table read_batch enable row level security;
alter table read_batch force row level security;
create policy aldis_admin_all on read_batch for all to aldis_admin using (true) with check (true);
create policy aldis_app_all on read_batch for all to aldis_app using ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif"))) with check ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")));
create policy aldis_ledger_select on read_batch for select to aldis_ledger using (true);
grant select, update (expired_by) on read_batch to aldis_admin;
grant insert, select on read_batch to aldis_app;
grant select on read_batch to aldis_ledger;

create table read_head (
  participant_id uuid not null,
  batch_no bigint not null,
  expired_no bigint not null default 0,
  gone_no bigint not null default 0,
  gone_until timestamp with time zone,
  constraint read_head_pkey PRIMARY KEY (participant_id)
);
alter table read_head enable row level security;
alter table read_head force row level security;
create policy aldis_admin_all on read_head for all to aldis_admin using (true) with check (true);
create policy aldis_app_all on read_head for all to aldis_app using ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif"))) with check ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")));
grant select, update (expired_no, gone_no, gone_until) on read_head to aldis_admin;
grant insert, select, update on read_head to aldis_app;

create table read_journal (
  participant_id uuid not null,
  day date not null,
  journal_id uuid not null,
  at timestamp with time zone not null,
  n integer not null,
  c bytea not null,
  body bytea not null,
  epoch integer not null,
  batch_no bigint,
  batch_at integer,
  constraint read_journal_pkey PRIMARY KEY (participant_id, day, journal_id),
  constraint read_journal_check CHECK ((length(c) = (32 * n))),
  constraint read_journal_n_check CHECK (((n >= 1) AND (n <= 512)))
);
CREATE INDEX read_journal_batch ON public.read_journal USING btree (participant_id, batch_no) WHERE (batch_no IS NOT NULL);
alter table read_journal enable row level security;
alter table read_journal force row level security;
create policy aldis_admin_all on read_journal for all to aldis_admin using (true) with check (true);
create policy aldis_app_all on read_journal for all to aldis_app using ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif"))) with check ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")));
create policy aldis_ledger_select on read_journal for select to aldis_ledger using (true);
grant delete, select, update (body, epoch) on read_journal to aldis_admin;
grant insert, select, update (batch_no, batch_at) on read_journal to aldis_app;
grant select on read_journal to aldis_ledger;

create table read_pending (
  participant_id uuid not null,
  journal_id uuid not null,
  day date not null,
  parts bytea,
  constraint read_pending_pkey PRIMARY KEY (participant_id, journal_id)
);
alter table read_pending enable row level security;
alter table read_pending force row level security;
create policy aldis_app_all on read_pending for all to aldis_app using ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif"))) with check ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")));
create policy aldis_ledger_select on read_pending for select to aldis_ledger using (true);
grant delete, insert, select on read_pending to aldis_app;
grant select on read_pending to aldis_ledger;

create table report (
  digest bytea not null,
  period_from timestamp with time zone not null,
  period_to timestamp with time zone not null,
  log_size bigint not null,
  body text not null,
  made_by uuid not null,
  made_at timestamp with time zone not null,
  published_at timestamp with time zone,
  published_event uuid,
  constraint report_pkey PRIMARY KEY (digest),
  constraint report_made_by_fkey FOREIGN KEY (made_by) REFERENCES person(person_id),
  constraint report_digest_check CHECK ((octet_length(digest) = 32))
);
CREATE INDEX report_published ON public.report USING btree (published_at) WHERE (published_at IS NOT NULL);
grant insert, select, update (published_at, published_event) on report to aldis_admin;

create table report_facts (
  log_id integer not null,
  first_idx bigint not null,
  n integer not null,
  sealed integer not null,
  facts text collate "C" not null,
  constraint report_facts_pkey PRIMARY KEY (log_id, first_idx),
  constraint report_facts_n_check CHECK ((n > 0)),
  constraint report_facts_sealed_check CHECK ((sealed >= 0))
);
alter table report_facts enable row level security;
alter table report_facts force row level security;
create policy aldis_ledger_select on report_facts for select to aldis_ledger using (true);
create policy aldis_projector_all on report_facts for all to aldis_projector using (true) with check (true);
grant select on report_facts to aldis_ledger;
grant insert, select on report_facts to aldis_projector;

create table request_log (
  participant_id uuid not null,
  request_id text collate "C" not null,
  at timestamp with time zone not null,
  credential_id uuid not null,
  method text collate "C" not null,
  route text collate "C" not null,
  status smallint not null,
  code text collate "C",
  duration_ms integer not null,
  response_bytes bigint,
  dropped integer not null,
  constraint request_log_pkey PRIMARY KEY (participant_id, request_id)
);
CREATE INDEX request_log_at ON public.request_log USING btree (participant_id, at, request_id);
CREATE INDEX request_log_code ON public.request_log USING btree (participant_id, code, at, request_id) WHERE (code IS NOT NULL);
CREATE INDEX request_log_dropped ON public.request_log USING btree (participant_id, at) WHERE (dropped > 0);
alter table request_log enable row level security;
alter table request_log force row level security;
create policy aldis_admin_all on request_log for all to aldis_admin using (true);
create policy aldis_app_all on request_log for all to aldis_app using ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif"))) with check ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")));
grant delete, select on request_log to aldis_admin;
grant insert, select on request_log to aldis_app;

create table reveal_use (
  participant_id uuid not null,
  day date not null,
  who uuid not null,
  used integer not null,
  constraint reveal_use_pkey PRIMARY KEY (participant_id, day, who)
);
alter table reveal_use enable row level security;
alter table reveal_use force row level security;
create policy aldis_app_all on reveal_use for all to aldis_app using ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif"))) with check ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")));
grant delete, insert, select, update on reveal_use to aldis_app;

create table review_case (
  participant_id uuid not null,
  case_id uuid not null,
  origin uuid not null,
  signal_id uuid not null,
  signal_key bytea not null,
  revision integer not null,
  type smallint not null,
  category smallint not null,
  severity smallint not null,
  confidence smallint not null,
  state smallint not null,
  version integer not null,
  own_hits integer not null,
  confirmations integer not null,
  disputed boolean not null,
  rank integer not null,
  due_at timestamp with time zone not null,
  paused_at timestamp with time zone,
  opened_at timestamp with time zone not null,
  held_until timestamp with time zone,
  hold_reason text collate "C",
  assigned_to text collate "C",
  last_event uuid not null,
  handed_event uuid,
  constraint review_case_pkey PRIMARY KEY (participant_id, case_id),
  constraint review_case_confidence_check CHECK (((confidence >= 0) AND (confidence <= 100))),
  constraint review_case_severity_check CHECK (((severity >= 1) AND (severity <= 4))),
  constraint review_case_signal_key_check CHECK ((length(signal_key) = 32))
);
CREATE INDEX review_case_assigned ON public.review_case USING btree (participant_id, case_id) WHERE ((state = 1) AND (assigned_to IS NOT NULL));
CREATE INDEX review_case_handed ON public.review_case USING btree (participant_id, handed_event DESC NULLS LAST, case_id DESC) WHERE ((state = 1) AND (assigned_to IS NOT NULL));
CREATE INDEX review_case_held ON public.review_case USING btree (held_until) WHERE (held_until IS NOT NULL);
CREATE INDEX review_case_late ON public.review_case USING btree (participant_id, due_at, case_id) WHERE (state = 1);
CREATE UNIQUE INDEX review_case_live ON public.review_case USING btree (participant_id, origin, signal_id) WHERE (state <> 6);
CREATE INDEX review_case_of ON public.review_case USING btree (origin, signal_id);
CREATE INDEX review_case_opened ON public.review_case USING btree (participant_id, opened_at) WHERE (state = 1);
CREATE INDEX review_case_rank ON public.review_case USING btree (participant_id, rank DESC, due_at, case_id) WHERE (state = 1);
CREATE INDEX review_case_state ON public.review_case USING btree (participant_id, state, case_id) WHERE (state <> 1);
alter table review_case enable row level security;
alter table review_case force row level security;
create policy aldis_app_all on review_case for all to aldis_app using ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif"))) with check ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")));
create policy aldis_projector_select on review_case for select to aldis_projector using (true);
grant insert, select, update on review_case to aldis_app;
grant select on review_case to aldis_projector;

create table review_lease (
  participant_id uuid not null,
  case_id uuid not null,
  holder text collate "C" not null,
  token uuid not null,
  expires_at timestamp with time zone not null,
  constraint review_lease_pkey PRIMARY KEY (participant_id, case_id)
);
CREATE INDEX review_lease_holder ON public.review_lease USING btree (participant_id, holder, expires_at);
alter table review_lease enable row level security;
alter table review_lease force row level security;
create policy aldis_app_all on review_lease for all to aldis_app using ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif"))) with check ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")));
grant insert, select, update on review_lease to aldis_app;

create table review_sample (
  participant_id uuid not null,
  sample_id uuid not null,
  case_id uuid not null,
  seq integer not null,
  verdict smallint not null,
  reason text collate "C" not null,
  decided_by text collate "C" not null,
  approved_by text collate "C",
  authority smallint not null,
  opened_at timestamp with time zone not null,
  second_verdict smallint,
  second_reason text collate "C",
  second_by text collate "C",
  second_authority smallint,
  second_at timestamp with time zone,
  last_event uuid not null,
  constraint review_sample_pkey PRIMARY KEY (participant_id, sample_id),
  constraint review_sample_check CHECK (((second_by IS NULL) OR (lower(second_by) <> lower(decided_by)))),
  constraint review_sample_check1 CHECK (((second_by IS NULL) OR (approved_by IS NULL) OR (lower(second_by) <> lower(approved_by)))),
  constraint review_sample_check2 CHECK ((((second_by IS NULL) = (second_verdict IS NULL)) AND ((second_by IS NULL) = (second_at IS NULL))))
);
CREATE INDEX review_sample_at ON public.review_sample USING btree (participant_id, opened_at);
CREATE INDEX review_sample_open ON public.review_sample USING btree (participant_id, sample_id) WHERE (second_by IS NULL);
alter table review_sample enable row level security;
alter table review_sample force row level security;
create policy aldis_app_all on review_sample for all to aldis_app using ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif"))) with check ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")));
grant insert, select, update (second_verdict, second_reason, second_by, second_authority, second_at, last_event) on review_sample to aldis_app;

create table review_setting (
  participant_id uuid not null,
  days smallint not null,
  opens smallint not null,
  closes smallint not null,
  sample_percent smallint not null,
  last_event uuid not null,
  constraint review_setting_pkey PRIMARY KEY (participant_id),
  constraint review_setting_check CHECK ((opens < closes)),
  constraint review_setting_closes_check CHECK (((closes >= 1) AND (closes <= 1440))),
  constraint review_setting_days_check CHECK (((days >= 0) AND (days <= 127))),
  constraint review_setting_opens_check CHECK (((opens >= 0) AND (opens <= 1439))),
  constraint review_setting_sample_percent_check CHECK (((sample_percent >= 0) AND (sample_percent <= 100)))
);
alter table review_setting enable row level security;
alter table review_setting force row level security;
create policy aldis_app_all on review_setting for all to aldis_app using ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif"))) with check ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")));
grant insert, select, update on review_setting to aldis_app;

create table role_grant (
  person_id uuid not null,
  role text collate "C" not null,
  granted_at timestamp with time zone not null,
  ended_at timestamp with time zone,
  last_event uuid not null,
  constraint role_grant_pkey PRIMARY KEY (person_id, role, granted_at),
  constraint role_grant_person_id_fkey FOREIGN KEY (person_id) REFERENCES person(person_id),
  constraint role_grant_role_check CHECK ((role = ANY (ARRAY['node_admin'::text, 'governance'::text, 'partner_admin'::text, 'lead'::text, 'analyst'::text, 'observer'::text])))
);
grant insert, select, update on role_grant to aldis_admin;
grant select (person_id, role, granted_at, ended_at, last_event) on role_grant to aldis_ledger;

create table routing_rule (
  participant_id uuid not null,
  keyword_patterns boolean not null,
  critical boolean not null,
  not_reviewed boolean not null,
  new_sources boolean not null,
  categories text[] not null,
  last_event uuid not null,
  constraint routing_rule_pkey PRIMARY KEY (participant_id)
);
alter table routing_rule enable row level security;
alter table routing_rule force row level security;
create policy aldis_app_all on routing_rule for all to aldis_app using ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif"))) with check ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")));
create policy aldis_projector_select on routing_rule for select to aldis_projector using (true);
grant insert, select, update on routing_rule to aldis_app;
grant select on routing_rule to aldis_projector;

create table saved_view (
  participant_id uuid not null,
  view_id uuid not null,
  owner uuid not null,
  shared boolean not null,
  screen text collate "C" not null,
  name text not null,
  filter text collate "C" not null,
  made_at timestamp with time zone not null,
  constraint saved_view_pkey PRIMARY KEY (participant_id, view_id),
  constraint saved_view_screen_check CHECK ((screen = ANY (ARRAY['queue'::text, 'submissions'::text])))
);
alter table saved_view enable row level security;
alter table saved_view force row level security;
create policy aldis_app_all on saved_view for all to aldis_app using ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif"))) with check ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")));
grant delete, insert, select on saved_view to aldis_app;

create table schema_state (
  version integer not null,
  compatible_from integer not null,
  name text not null,
  applied_at timestamp with time zone not null,
  constraint schema_state_pkey PRIMARY KEY (version),
  constraint schema_state_check CHECK (((compatible_from >= 1) AND (compatible_from <= version)))
);
grant select on schema_state to aldis_admin;
grant select on schema_state to aldis_app;
grant select on schema_state to aldis_integrator;
grant select on schema_state to aldis_ledger;
grant select on schema_state to aldis_projector;
grant select on schema_state to aldis_signer;

create table sealed_bucket (
  feed_id uuid not null,
  snapshot bigint not null,
  prefix integer not null,
  body bytea not null,
  constraint sealed_bucket_pkey PRIMARY KEY (feed_id, snapshot, prefix)
);
alter table sealed_bucket enable row level security;
alter table sealed_bucket force row level security;
create policy aldis_admin_all on sealed_bucket for all to aldis_admin using (true) with check (true);
create policy aldis_app_select on sealed_bucket for select to aldis_app using ((feed_id IN ( SELECT f.feed_id
   FROM feed f
  WHERE (f.audience_id IN ( SELECT m.audience_id
           FROM audience_member m
          WHERE ((m.participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")) AND (m.until_seq IS NULL)))))));
create policy aldis_projector_all on sealed_bucket for all to aldis_projector using (true) with check (true);
grant delete, select on sealed_bucket to aldis_admin;
grant select on sealed_bucket to aldis_app;
grant delete, insert, select, update on sealed_bucket to aldis_projector;

create table sealed_signal (
  feed_id uuid not null,
  signal_id uuid not null,
  origin uuid not null,
  revision integer not null,
  seq bigint not null,
  submission_id uuid not null,
  expires_at timestamp with time zone not null,
  entry bytea not null,
  body text collate "C" not null,
  constraint sealed_signal_pkey PRIMARY KEY (feed_id, signal_id, origin),
  constraint sealed_signal_entry_check CHECK ((length(entry) = 72))
);
alter table sealed_signal enable row level security;
alter table sealed_signal force row level security;
create policy aldis_admin_all on sealed_signal for all to aldis_admin using (true) with check (true);
create policy aldis_app_select on sealed_signal for select to aldis_app using ((feed_id IN ( SELECT f.feed_id
   FROM feed f
  WHERE (f.audience_id IN ( SELECT m.audience_id
           FROM audience_member m
          WHERE ((m.participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")) AND (m.until_seq IS NULL)))))));
create policy aldis_projector_all on sealed_signal for all to aldis_projector using (true) with check (true);
grant select, update (expires_at, entry, body) on sealed_signal to aldis_admin;
grant select on sealed_signal to aldis_app;
grant delete, insert, select, update on sealed_signal to aldis_projector;

create table sealed_snapshot (
  feed_id uuid not null,
  snapshot bigint not null,
  bits smallint,
  width integer not null,
  made_at timestamp with time zone not null,
  constraint sealed_snapshot_pkey PRIMARY KEY (feed_id, snapshot)
);
alter table sealed_snapshot enable row level security;
alter table sealed_snapshot force row level security;
create policy aldis_admin_all on sealed_snapshot for all to aldis_admin using (true) with check (true);
create policy aldis_app_select on sealed_snapshot for select to aldis_app using ((feed_id IN ( SELECT f.feed_id
   FROM feed f
  WHERE (f.audience_id IN ( SELECT m.audience_id
           FROM audience_member m
          WHERE ((m.participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")) AND (m.until_seq IS NULL)))))));
create policy aldis_projector_all on sealed_snapshot for all to aldis_projector using (true) with check (true);
grant delete, select on sealed_snapshot to aldis_admin;
grant select on sealed_snapshot to aldis_app;
grant delete, insert, select on sealed_snapshot to aldis_projector;

create table sealed_value (
  participant_id uuid not null,
  signal_id uuid not null,
  audience_id uuid not null,
  revision integer not null,
  kek_id text collate "C" not null,
  wrapped_dek bytea not null,
  nonce bytea not null,
  ciphertext bytea not null,
  tag bytea not null,
  sealed_at timestamp with time zone not null,
  last_event uuid not null,
  constraint sealed_value_pkey PRIMARY KEY (participant_id, signal_id),
  constraint sealed_value_ciphertext_check CHECK ((octet_length(ciphertext) > 0)),
  constraint sealed_value_nonce_check CHECK ((octet_length(nonce) = 12)),
  constraint sealed_value_revision_check CHECK ((revision >= 1)),
  constraint sealed_value_tag_check CHECK ((octet_length(tag) = 16)),
  constraint sealed_value_wrapped_dek_check CHECK ((octet_length(wrapped_dek) = 60))
);
alter table sealed_value enable row level security;
alter table sealed_value force row level security;
create policy aldis_admin_all on sealed_value for all to aldis_admin using (true);
create policy aldis_app_all on sealed_value for all to aldis_app using ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif"))) with check ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")));
create policy aldis_ledger_select on sealed_value for select to aldis_ledger using (true);
grant delete, select (participant_id, signal_id) on sealed_value to aldis_admin;
grant delete, insert, select, update on sealed_value to aldis_app;
grant select (participant_id, signal_id, audience_id, revision, nonce, ciphertext, tag, last_event) on sealed_value to aldis_ledger;

create table share_day (
  log_id integer not null,
  day date not null,
  source text collate "C" not null,
  recipient text collate "C" not null,
  category text collate "C" not null,
  audience uuid not null,
  shared integer not null default 0,
  confirmed integer not null default 0,
  not_violating integer not null default 0,
  answered integer not null default 0,
  disputed integer not null default 0,
  waits integer[] not null,
  constraint share_day_pkey PRIMARY KEY (log_id, day, source, recipient, category, audience)
);
alter table share_day enable row level security;
alter table share_day force row level security;
create policy aldis_ledger_select on share_day for select to aldis_ledger using (true);
create policy aldis_projector_all on share_day for all to aldis_projector using (true) with check (true);
grant select on share_day to aldis_ledger;
grant insert, select, update on share_day to aldis_projector;

create table shared_relation (
  signal_id uuid not null,
  origin uuid not null,
  relation_id uuid not null,
  other_id uuid not null,
  outward boolean not null,
  kind smallint not null,
  audience_id uuid not null,
  revision integer not null,
  state smallint not null,
  observed_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  log_idx bigint not null,
  constraint shared_relation_pkey PRIMARY KEY (signal_id, origin, relation_id)
);
CREATE INDEX shared_relation_audience ON public.shared_relation USING btree (audience_id, signal_id, relation_id) WHERE (state = 1);
alter table shared_relation enable row level security;
alter table shared_relation force row level security;
create policy aldis_admin_all on shared_relation for all to aldis_admin using (true) with check (true);
create policy aldis_app_select on shared_relation for select to aldis_app using (((origin = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")) OR ((state = 1) AND (audience_id IN ( SELECT m.audience_id
   FROM audience_member m
  WHERE ((m.participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")) AND (m.until_seq IS NULL)))))));
create policy aldis_projector_all on shared_relation for all to aldis_projector using (true) with check (true);
grant delete, select on shared_relation to aldis_admin;
grant select on shared_relation to aldis_app;
grant insert, select, update on shared_relation to aldis_projector;

create table shared_signal (
  signal_key bytea not null,
  signal_id uuid not null,
  origin uuid not null,
  type smallint not null,
  profile text collate "C" not null,
  audience_id uuid not null,
  revision integer not null,
  state smallint not null,
  expires_at timestamp with time zone not null,
  log_idx bigint not null,
  feed_id uuid not null,
  seq bigint not null,
  constraint shared_signal_pkey PRIMARY KEY (signal_key, signal_id, origin),
  constraint shared_signal_signal_key_check CHECK ((length(signal_key) = 32))
);
CREATE INDEX shared_signal_id ON public.shared_signal USING btree (signal_id);
CREATE INDEX shared_signal_words ON public.shared_signal USING btree (signal_id, origin) WHERE ((type = 9) OR (type = 11));
alter table shared_signal enable row level security;
alter table shared_signal force row level security;
create policy aldis_admin_all on shared_signal for all to aldis_admin using (true) with check (true);
create policy aldis_app_select on shared_signal for select to aldis_app using (((origin = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")) OR ((state = 1) AND (audience_id IN ( SELECT m.audience_id
   FROM audience_member m
  WHERE ((m.participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")) AND (m.until_seq IS NULL)))))));
create policy aldis_ledger_select on shared_signal for select to aldis_ledger using (true);
create policy aldis_projector_all on shared_signal for all to aldis_projector using (true) with check (true);
grant delete, select on shared_signal to aldis_admin;
grant select on shared_signal to aldis_app;
grant select (signal_id, origin, audience_id, revision, state, expires_at) on shared_signal to aldis_ledger;
grant insert, select, update on shared_signal to aldis_projector;

create table signal (
  participant_id uuid not null,
  signal_id uuid not null,
  signal_key bytea not null,
  type smallint not null,
  profile text collate "C" not null,
  category smallint not null,
  audience_id uuid not null,
  revision integer not null,
  state smallint not null,
  expires_at timestamp with time zone not null,
  leaf bytea not null,
  last_event uuid not null,
  ended_by uuid,
  value_event uuid,
  constraint signal_pkey PRIMARY KEY (participant_id, signal_id),
  constraint signal_leaf_check CHECK ((length(leaf) = 32)),
  constraint signal_revision_check CHECK ((revision >= 1)),
  constraint signal_signal_key_check CHECK ((length(signal_key) = 32))
);
CREATE INDEX signal_due ON public.signal USING btree (participant_id, expires_at) WHERE (state = 1);
CREATE INDEX signal_ended_by ON public.signal USING btree (participant_id, ended_by) WHERE (state = 5);
CREATE INDEX signal_erased ON public.signal USING btree (participant_id, last_event) WHERE (state = 5);
CREATE INDEX signal_expired ON public.signal USING btree (participant_id, last_event) WHERE (state = 3);
CREATE INDEX signal_held_due ON public.signal USING btree (participant_id, expires_at) WHERE (state = 4);
alter table signal enable row level security;
alter table signal force row level security;
create policy aldis_admin_all on signal for all to aldis_admin using (true) with check (true);
create policy aldis_app_all on signal for all to aldis_app using ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif"))) with check ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")));
create policy aldis_ledger_select on signal for select to aldis_ledger using (true);
create policy aldis_projector_select on signal for select to aldis_projector using (true);
grant select, update (signal_key, state, last_event, ended_by, value_event) on signal to aldis_admin;
grant insert, select, update on signal to aldis_app;
grant select (participant_id, signal_id, type, category, audience_id, revision, state, expires_at, leaf, last_event, ended_by) on signal to aldis_ledger;
grant select on signal to aldis_projector;

create table signal_hold (
  participant_id uuid not null,
  held_event uuid not null,
  signal_id uuid not null,
  revision integer not null,
  dispute_id uuid,
  held_at timestamp with time zone not null,
  released_event uuid,
  released_at timestamp with time zone,
  request uuid,
  constraint signal_hold_pkey PRIMARY KEY (participant_id, held_event)
);
CREATE INDEX signal_hold_of ON public.signal_hold USING btree (participant_id, signal_id, held_event);
CREATE INDEX signal_hold_released ON public.signal_hold USING btree (participant_id, released_event) WHERE (released_event IS NOT NULL);
alter table signal_hold enable row level security;
alter table signal_hold force row level security;
create policy aldis_admin_all on signal_hold for all to aldis_admin using (true) with check (true);
create policy aldis_app_all on signal_hold for all to aldis_app using ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif"))) with check ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")));
create policy aldis_projector_select on signal_hold for select to aldis_projector using (true);
grant insert, select, update (released_event, released_at) on signal_hold to aldis_admin;
grant insert, select, update (released_event, released_at) on signal_hold to aldis_app;
grant select on signal_hold to aldis_projector;

create table signal_opinion (
  participant_id uuid not null,
  signal_id uuid not null,
  giver uuid not null,
  outcome smallint not null,
  independent boolean not null,
  recurrences integer not null,
  at timestamp with time zone not null,
  place bigint not null,
  constraint signal_opinion_pkey PRIMARY KEY (participant_id, signal_id, giver)
);
alter table signal_opinion enable row level security;
alter table signal_opinion force row level security;
create policy aldis_app_all on signal_opinion for all to aldis_app using ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif"))) with check ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")));
create policy aldis_projector_select on signal_opinion for select to aldis_projector using (true);
grant insert, select, update on signal_opinion to aldis_app;
grant select on signal_opinion to aldis_projector;

create table signal_revision (
  participant_id uuid not null,
  signal_id uuid not null,
  revision integer not null,
  submission_id uuid not null,
  item_index smallint not null,
  salt bytea,
  item text collate "C" not null,
  constraint signal_revision_pkey PRIMARY KEY (participant_id, signal_id, revision),
  constraint signal_revision_salt_check CHECK ((length(salt) = 16))
);
CREATE INDEX signal_revision_submission ON public.signal_revision USING btree (participant_id, submission_id);
alter table signal_revision enable row level security;
alter table signal_revision force row level security;
create policy aldis_admin_all on signal_revision for all to aldis_admin using (true) with check (true);
create policy aldis_app_all on signal_revision for all to aldis_app using ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif"))) with check ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")));
create policy aldis_ledger_select on signal_revision for select to aldis_ledger using (true);
create policy aldis_projector_select on signal_revision for select to aldis_projector using (true);
grant select, update (salt, item) on signal_revision to aldis_admin;
grant insert, select on signal_revision to aldis_app;
grant select (participant_id, signal_id, revision, submission_id, item_index, salt, item) on signal_revision to aldis_ledger;
grant select on signal_revision to aldis_projector;

create table signal_tally (
  participant_id uuid not null,
  signal_id uuid not null,
  audience_id uuid not null,
  counts text collate "C" not null,
  open_disputes integer not null,
  recurrences integer not null,
  constraint signal_tally_pkey PRIMARY KEY (participant_id, signal_id)
);
alter table signal_tally enable row level security;
alter table signal_tally force row level security;
create policy aldis_app_all on signal_tally for all to aldis_app using ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif"))) with check ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")));
create policy aldis_app_select on signal_tally for select to aldis_app using ((audience_id IN ( SELECT m.audience_id
   FROM audience_member m
  WHERE ((m.participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")) AND (m.until_seq IS NULL)))));
grant insert, select, update on signal_tally to aldis_app;

create table signed_act (
  participant_id uuid not null,
  act_id uuid not null,
  jti text collate "C" not null,
  od bytea not null,
  jws text collate "C" not null,
  salt bytea not null,
  item text collate "C" not null,
  countersignature text not null,
  received_at timestamp with time zone not null,
  replays integer not null default 0,
  constraint signed_act_pkey PRIMARY KEY (participant_id, act_id),
  constraint signed_act_participant_id_jti_key UNIQUE (participant_id, jti),
  constraint signed_act_od_check CHECK ((length(od) = 32)),
  constraint signed_act_salt_check CHECK ((length(salt) = 16))
);
alter table signed_act enable row level security;
alter table signed_act force row level security;
create policy aldis_app_all on signed_act for all to aldis_app using ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif"))) with check ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")));
create policy aldis_projector_select on signed_act for select to aldis_projector using (true);
grant insert, select, update (replays) on signed_act to aldis_app;
grant select on signed_act to aldis_projector;

create table signing_key (
  participant_id uuid not null,
  kid text collate "C" not null,
  jwk text not null,
  alg text not null,
  status smallint not null,
  not_before timestamp with time zone not null,
  not_after timestamp with time zone not null,
  last_event uuid not null,
  constraint signing_key_pkey PRIMARY KEY (participant_id, kid),
  constraint signing_key_participant_id_fkey FOREIGN KEY (participant_id) REFERENCES participant(participant_id),
  constraint signing_key_alg_check CHECK ((alg = ANY (ARRAY['Ed25519'::text, 'ES256'::text]))),
  constraint signing_key_check CHECK ((not_after > not_before))
);
grant insert, select, update on signing_key to aldis_admin;
grant select on signing_key to aldis_app;
grant select on signing_key to aldis_integrator;
grant select on signing_key to aldis_ledger;
grant select on signing_key to aldis_projector;
grant select on signing_key to aldis_signer;

create table subject_request (
  request_id uuid not null,
  kind text collate "C" not null,
  received_at timestamp with time zone not null,
  due_at timestamp with time zone not null,
  extension text collate "C",
  searched_at timestamp with time zone,
  outcome text collate "C",
  closed_at timestamp with time zone,
  opened_by uuid not null,
  last_event uuid not null,
  constraint subject_request_pkey PRIMARY KEY (request_id),
  constraint subject_request_opened_by_fkey FOREIGN KEY (opened_by) REFERENCES person(person_id)
);
CREATE INDEX subject_request_open ON public.subject_request USING btree (due_at) WHERE (closed_at IS NULL);
grant insert, select, update (due_at, extension, searched_at, outcome, closed_at, last_event) on subject_request to aldis_admin;

create table subject_request_part (
  request_id uuid not null,
  participant_id uuid not null,
  signals text[] not null,
  approval uuid,
  constraint subject_request_part_pkey PRIMARY KEY (request_id, participant_id),
  constraint subject_request_part_request_id_fkey FOREIGN KEY (request_id) REFERENCES subject_request(request_id)
);
grant insert, select, update (signals, approval) on subject_request_part to aldis_admin;

create table submission (
  participant_id uuid not null,
  submission_id uuid not null,
  jti text collate "C" not null,
  typ smallint not null,
  od bytea not null,
  jws text collate "C" not null,
  n integer not null,
  leaves bytea not null,
  response text not null,
  received_at timestamp with time zone not null,
  replays integer not null default 0,
  constraint submission_pkey PRIMARY KEY (participant_id, submission_id),
  constraint submission_participant_id_jti_key UNIQUE (participant_id, jti),
  constraint submission_check CHECK ((length(leaves) = (32 * n))),
  constraint submission_n_check CHECK (((n >= 1) AND (n <= 1000))),
  constraint submission_od_check CHECK ((length(od) = 32))
);
alter table submission enable row level security;
alter table submission force row level security;
create policy aldis_app_all on submission for all to aldis_app using ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif"))) with check ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")));
create policy aldis_projector_select on submission for select to aldis_projector using (true);
grant insert, select, update (replays) on submission to aldis_app;
grant select on submission to aldis_projector;

create table upload (
  participant_id uuid not null,
  upload_id uuid not null,
  next_line bigint not null,
  updated_at timestamp with time zone not null,
  constraint upload_pkey PRIMARY KEY (participant_id, upload_id)
);
CREATE INDEX upload_updated ON public.upload USING btree (participant_id, updated_at);
alter table upload enable row level security;
alter table upload force row level security;
create policy aldis_admin_all on upload for all to aldis_admin using (true);
create policy aldis_app_all on upload for all to aldis_app using ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif"))) with check ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")));
grant delete, select on upload to aldis_admin;
grant insert, select, update on upload to aldis_app;

create table upload_job (
  participant_id uuid not null,
  upload_id uuid not null,
  state smallint not null,
  attempt uuid not null,
  credential_id uuid not null,
  scopes text not null,
  bytes bigint not null,
  lines bigint not null,
  accepted bigint not null default 0,
  refused bigint not null default 0,
  tries smallint not null default 0,
  fault text collate "C",
  received_at timestamp with time zone not null,
  ended_at timestamp with time zone,
  constraint upload_job_pkey PRIMARY KEY (participant_id, upload_id),
  constraint upload_job_check CHECK (((ended_at IS NULL) = (state < 4))),
  constraint upload_job_state_check CHECK (((state >= 1) AND (state <= 5)))
);
CREATE INDEX upload_job_ended ON public.upload_job USING btree (ended_at) WHERE (state > 3);
CREATE INDEX upload_job_live ON public.upload_job USING btree (received_at) WHERE (state < 4);
alter table upload_job enable row level security;
alter table upload_job force row level security;
create policy aldis_app_all on upload_job for all to aldis_app using ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif"))) with check ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")));
create policy aldis_projector_select on upload_job for select to aldis_projector using (true);
grant delete, insert, select, update (state, attempt, credential_id, scopes, bytes, lines, accepted, refused, tries, fault, received_at, ended_at) on upload_job to aldis_app;
grant select on upload_job to aldis_projector;

create table upload_part (
  participant_id uuid not null,
  upload_id uuid not null,
  kind smallint not null,
  part integer not null,
  content bytea not null,
  constraint upload_part_pkey PRIMARY KEY (participant_id, upload_id, kind, part),
  constraint upload_part_kind_check CHECK ((kind = ANY (ARRAY[1, 2]))),
  constraint upload_part_part_check CHECK ((part >= 0))
);
alter table upload_part enable row level security;
alter table upload_part force row level security;
create policy aldis_app_all on upload_part for all to aldis_app using ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif"))) with check ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")));
grant delete, insert, select on upload_part to aldis_app;

create table webhook_delivery (
  participant_id uuid not null,
  endpoint_id uuid not null,
  message_id text collate "C" not null,
  kind text collate "C" not null,
  body text not null,
  made_at timestamp with time zone not null,
  attempts smallint not null,
  next_at timestamp with time zone,
  delivered_at timestamp with time zone,
  fault text collate "C",
  constraint webhook_delivery_pkey PRIMARY KEY (participant_id, endpoint_id, message_id)
);
CREATE INDEX webhook_delivery_due ON public.webhook_delivery USING btree (next_at) WHERE (next_at IS NOT NULL);
CREATE INDEX webhook_delivery_made ON public.webhook_delivery USING btree (participant_id, made_at);
alter table webhook_delivery enable row level security;
alter table webhook_delivery force row level security;
create policy aldis_app_all on webhook_delivery for all to aldis_app using ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif"))) with check ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")));
create policy aldis_projector_select on webhook_delivery for select to aldis_projector using (true);
grant delete, insert, select, update (attempts, next_at, delivered_at, fault) on webhook_delivery to aldis_app;
grant select on webhook_delivery to aldis_projector;

create table webhook_endpoint (
  participant_id uuid not null,
  endpoint_id uuid not null,
  url text collate "C" not null,
  kinds text[] not null,
  made_by uuid not null,
  made_at timestamp with time zone not null,
  ended_at timestamp with time zone,
  last_event uuid not null,
  feeds text[] not null default '{}'::text[],
  secret_no smallint not null default 1,
  rotated_at timestamp with time zone,
  constraint webhook_endpoint_pkey PRIMARY KEY (participant_id, endpoint_id)
);
CREATE INDEX webhook_endpoint_live ON public.webhook_endpoint USING btree (participant_id) WHERE (ended_at IS NULL);
alter table webhook_endpoint enable row level security;
alter table webhook_endpoint force row level security;
create policy aldis_app_all on webhook_endpoint for all to aldis_app using ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif"))) with check ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")));
create policy aldis_projector_select on webhook_endpoint for select to aldis_projector using (true);
grant insert, select, update (ended_at, last_event, secret_no, rotated_at) on webhook_endpoint to aldis_app;
grant select on webhook_endpoint to aldis_projector;

create table webhook_place (
  participant_id uuid not null,
  endpoint_id uuid not null,
  feed_id uuid not null,
  seq bigint not null,
  constraint webhook_place_pkey PRIMARY KEY (participant_id, endpoint_id, feed_id)
);
alter table webhook_place enable row level security;
alter table webhook_place force row level security;
create policy aldis_app_all on webhook_place for all to aldis_app using ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif"))) with check ((participant_id = ( SELECT (NULLIF(current_setting('app.participant'::text, true), ''::text))::uuid AS "nullif")));
grant insert, select, update (seq) on webhook_place to aldis_app;
