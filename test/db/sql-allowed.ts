import type { SqlRule } from './sql-rules.ts'

export interface Allowed {
  rule: SqlRule
  /** How the statement begins, white space as single blanks. */
  starts: string
  why: string
}

/** Statements of the services that break a rule, each with its reason. */
export const ALLOWED: readonly Allowed[] = [
  {
    rule: 'distribution-key',
    starts: 'select count(*)::int as n, coalesce(string_agg(uuid_send(event_id) || uuid_send(participant_id) || c',
    why: "the integrator takes every participant's rows in the order of their event ids, under the log head's lock alone",
  },
  {
    rule: 'distribution-key',
    starts: 'delete from prov_outbox where event_id = any($1::uuid[]) and log_id <= $2',
    why: 'clears what was taken, after it is in the log; done again it changes nothing, so it needs no one shard',
  },
  {
    rule: 'distribution-key',
    starts: 'select count(*) as "n" from "prov_outbox" where "log_id" <= $1',
    why: 'a metric: how much waits on all shards',
  },
  {
    rule: 'distribution-key',
    starts: 'select "event_id" from "prov_outbox" where "log_id" <= $1',
    why: 'for an auditor: what was committed beside the log at the moment of a page of the state, wherever it is',
  },
  {
    rule: 'distribution-key',
    starts: 'select "log_id", "origin", "closed_size" from "log_head" order by',
    why: 'once, at the start: which logs the node has had; a row each',
  },
  {
    rule: 'distribution-key',
    starts: 'select "e"."event_id" from "log_event" as "e" inner join "log_head" as "h"',
    why: 'whether an event is in this log or in one before it; after a crash, and for events that name another',
  },
  {
    rule: 'distribution-key',
    starts: 'select distinct "participant_id" from "read_pending"',
    why: 'a sweep: whose reads wait; the rows are few, and each participant is then asked in its own shard',
  },
  {
    rule: 'distribution-key',
    starts: 'select "participant_id", bool_or(ended_at is null) as "live" from "webhook_endpoint" group by',
    why: 'a sweep: who was ever called; the rows are few, and each participant is then asked in its own shard',
  },
  {
    rule: 'distribution-key',
    starts: 'select distinct "participant_id" from "webhook_endpoint" where cardinality(feeds) > 0',
    why: 'the same sweep for those who are told of feeds now',
  },
  {
    rule: 'distribution-key',
    starts: 'select "participant_id", "endpoint_id", "message_id" from "webhook_delivery" where "next_at" <= $1',
    why: 'a sweep: what is to be posted by now, some at a time; each is then posted in the name of its participant',
  },
  {
    rule: 'distribution-key',
    starts: 'select "feed_id", "sealed_seq", "erasures" from "feed_head" where next_seq - 1 - sealed_seq >= $1',
    why: 'a sweep: which feeds have a full segment; one row a feed, and each is then sealed in its own shard',
  },
  {
    rule: 'distribution-key',
    starts: 'insert into shared_signal (signal_key, signal_id, origin,',
    why: 'the projector writes the keys of a round at once; a row only moves forward (log_idx), so the shards may commit apart',
  },
  {
    rule: 'distribution-key',
    starts: 'insert into shared_relation (signal_id, origin, relation_id,',
    why: 'the same for the two ends of relations',
  },
  {
    rule: 'distribution-key',
    starts: 'select "signal_id", "origin", "type", "revision", "log_idx" from "shared_signal" where signal_id = any($1',
    why: 'which signals of a network a reader may see: ids alone are known of them, so every shard is asked',
  },
  {
    rule: 'distribution-key',
    starts:
      'select "origin", "signal_id", "type", "revision", "feed_id", "log_idx" from "shared_signal" where "signal_id" = $1',
    why: 'a link that somebody reveals is named by its id: every shard is asked, at most some hundred times a day and reader',
  },
  {
    rule: 'distribution-key',
    starts:
      'select "signal_id", "origin", "type", "revision", "feed_id", "seq", "log_idx" from "shared_signal" where (type = 9 or',
    why: 'a page of the patterns that a reader may see: they are few, in an index of their own on every shard',
  },
  {
    rule: 'distribution-key',
    starts:
      'select "signal_id", "audience_id", "revision", "state", "expires_at" from "shared_signal" where "origin" = ',
    why: 'a sweep for auditors, page by page, without the keys; no reader waits for it',
  },
  {
    rule: 'distribution-key',
    starts: 'copy (select string_agg(row,',
    why: 'a sweep: every shared key once, at the start of a process; no reader waits for it',
  },
  {
    rule: 'distribution-key',
    starts: 'select "e"."log_id", "e"."event_id", "e"."idx", "h"."closed_size", "p"."next_idx" from "log_event" as "e"',
    why: 'an erasure looks for its events in every log that the node has had; a row each, and rare',
  },
  {
    rule: 'distribution-key',
    starts: 'select "digest" from "feed_segment" where digest = any(',
    why: 'a sweep: which of the segments that are kept as files an erasure has replaced; no reader waits for it',
  },
  {
    rule: 'distribution-key',
    starts: 'select "participant_id", "case_id", "seq" from "decision" where "release_at" <= $1',
    why: 'a sweep: whose grace is over; a partial index holds these few, and each is then released in its own shard',
  },
  {
    rule: 'distribution-key',
    starts: 'select participant_id, upload_id from upload_job where state in (2, 3)',
    why: 'a sweep: which uploads wait to be worked off; few, in an index of their own, and each then in its own shard',
  },
  {
    rule: 'distribution-key',
    starts: 'select participant_id, upload_id from upload_job where state = 1 and received_at < $1',
    why: 'a sweep: which uploads lost their sender; few, and each is then taken away in its own shard',
  },
  {
    rule: 'distribution-key',
    starts: 'select participant_id, upload_id from upload_job where state > 3 and ended_at < $1',
    why: 'a sweep: which results were kept for their time; each is then taken away in its own shard',
  },
  {
    rule: 'distribution-key',
    starts: 'select "participant_id", "signal_id" from "review_case" where "origin" = $1',
    why: 'who has a case of a signal that its source changed or that is disputed; once for such an entry of the log',
  },
  {
    rule: 'distribution-key',
    starts: 'select "case_id", "participant_id" from "review_case" where "origin" = $1',
    why: 'whose cases hold the match key of what was erased; each then forgets it in its own shard',
  },
  {
    rule: 'distribution-key',
    starts: 'select "participant_id", "keyword_patterns", "critical",',
    why: 'which organisations route what they receive; a row each',
  },
  {
    rule: 'distribution-key',
    starts: 'select distinct "participant_id" from "evaluation_batch"',
    why: 'a sweep: whose evaluations have no entry yet; few, and each participant is then asked in its own shard',
  },
  {
    rule: 'distribution-key',
    starts: 'select "participant_id", "purpose", "used" from "evaluation_use" where "day" = $1',
    why: 'an alarm: what everybody used today; a row each',
  },
  {
    rule: 'snapshot',
    starts: 'begin isolation level repeatable read read only',
    why: 'reads reference tables alone, which are whole on each node',
  },
]

/** What only the migrator may do: it has a direct connection, past the pooler, and works on no hot row. */
export const MIGRATORS: readonly Allowed[] = [
  { rule: 'advisory-lock', starts: 'select pg_try_advisory_lock($1) as got', why: 'one migrator at a time' },
  { rule: 'advisory-lock', starts: 'select pg_advisory_unlock($1)', why: 'one migrator at a time' },
  { rule: 'set', starts: "set local lock_timeout = '3s'", why: 'a waiting change holds up everybody behind it' },
  { rule: 'set', starts: 'set local role aldis_owner', why: 'who logs in owns nothing' },
]
