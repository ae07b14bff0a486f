// The SDK: everything a platform's own code needs, and nothing of the node's.
export type { NetworkResult } from '../feeds/schema.ts'
export { createPatternChecker, type PatternCheckOptions } from '../jobs/pattern-check.ts'
export type { ErrorCode } from '../kernel/errors.ts'
export type { Uuid } from '../kernel/ids.ts'
export type { HitRate } from '../matching/hit-rate.ts'
export type { PatternChecker } from '../matching/pattern.ts'
export { diffPatterns, type PatternDiff } from '../matching/pattern-diff.ts'
export { MatcherFailed, type MatchFault, MatchFileRefused } from '../matching/refused.ts'
export { createTextMatcher, type TextHit, type TextMatcher, type TextPattern } from '../matching/text-match.ts'
export { askedDigest, askedFault } from '../provenance/asked.ts'
export type { SignalItem, SignalType, SubmissionResult, UploadLine, WithdrawalItem } from '../signals/schema.ts'
export { type SigningKey, signSubmission } from '../signals/submission.ts'
export { askForToken, clientAssertion, type TokenQuery } from './access.ts'
export { type MirroredSignal, mirroredSignals, signAct, theSignal } from './acts.ts'
export type { CaseClient } from './cases.ts'
export { type Client, type ClientOptions, createClient, type Received, receivedOf } from './client.ts'
export type { ConformanceClient } from './conformance.ts'
export {
  type DeriveContext,
  type Derived,
  derive,
  type Identifier,
  identifierOf,
  instant,
  type LookupKey,
  lookupKeys,
  type RawLine,
  type TokenEpoch,
} from './derive.ts'
export { ENDS } from './ends.ts'
export { type EnrolOptions, enroll, makeTlsKey, requestOver, type TlsKey } from './enroll.ts'
export {
  AldisError,
  AnswerTooLong,
  LogContradicted,
  type Problem,
  VerificationFailed,
  VerifierEnded,
} from './errors.ts'
export { holderAt } from './evaluator.ts'
export {
  type ChainOf,
  type ChainPlace,
  chainEntries,
  chainStart,
  type HistoryEntry,
  type HistoryOptions,
  history,
} from './history.ts'
export { type Home, type Membership, openHome } from './home.ts'
export { type KeptHistory, openHistory } from './kept-history.ts'
export { type Exported, type ExportOptions, exportLog } from './log-export.ts'
export { folderLog, nodeLog, webLog } from './log-source.ts'
export { type LookedUp, lookedUp } from './looked-up.ts'
export { type MatchFileOptions, matchFileOf, type Refreshed, refreshMatchFile } from './match-mirror.ts'
export { type MatchedLine, matchLines } from './match-text.ts'
export {
  createMatcher,
  type Match,
  type Matcher,
  type MatcherOptions,
  type Matches,
  type MatchQuery,
  type PatternSignal,
} from './matcher.ts'
export { type SyncOptions, syncFeeds } from './mirror.ts'
export { type NextLog, openNextLog } from './next-log.ts'
export { type PinnedKey, pinnedOprfKey } from './oprf-key.ts'
export type { OversightClient } from './oversight.ts'
export { type PatternRevision, patternRevisions } from './pattern-revisions.ts'
export {
  type BucketOptions,
  createBucketLookUp,
  type Opened,
  openMatch,
  openSealedMirror,
  type PrivateLookUp,
  receiptFor,
  type SealedMatch,
} from './private-lookup.ts'
export { checkPromises, type KeptPromises } from './promises.ts'
export { type ItemProof, type ItemProofs, proveReads, type ReaderTotal, readersOf } from './readers.ts'
export { checkRevealed } from './revealed.ts'
export { receivedIn } from './segment-body.ts'
export type { Segment, SegmentRun } from './segment-run.ts'
export { createSegmentThreads, type SegmentThreads, type SegmentThreadsOptions } from './segment-threads.ts'
export { makeSigningKey, type OwnSigningKey, openSigningKey } from './signing-key.ts'
export { type NewSourceKey, newSourceKeys } from './source-keys.ts'
export { type Evaluator, hmacTokens, type OprfTokenOptions, oprfTokens, type TokenMaker } from './tokens.ts'
export type { TlsIdentity } from './transport.ts'
export { createTree, type VerifiedTree } from './tree.ts'
export { type DryRun, dryRun, type PatternTrouble, tryPattern } from './try-pattern.ts'
export type { UploadClient } from './uploads.ts'
export type { UsageClient } from './usage.ts'
export {
  advanceHead,
  checkReceipt,
  createVerifier,
  openVkey,
  readName,
  type VerifiedBy,
  type VerifiedEvent,
  type Verifier,
} from './verify.ts'
export { readWebhook, type WebhookClient, type WebhookKey } from './webhooks.ts'
export { expectWitnessed, openPolicy } from './witnessed.ts'
