// The SDK: everything a platform's own code needs, and nothing of the node's.
export type { ErrorCode } from '../kernel/errors.ts'
export type { Uuid } from '../kernel/ids.ts'
export type { SignalItem, SignalType, SubmissionResult, UploadLine, WithdrawalItem } from '../signals/schema.ts'
export { type SigningKey, signSubmission } from '../signals/submission.ts'
export { type Client, type ClientOptions, createClient, type Received, receivedOf } from './client.ts'
export {
  type DeriveContext,
  type Derived,
  derive,
  instant,
  type LookupKey,
  lookupKeys,
  type RawLine,
} from './derive.ts'
export { type EnrolOptions, enroll, makeTlsKey, requestOver, type TlsKey } from './enroll.ts'
export { AldisError, LogContradicted, type Problem, VerificationFailed } from './errors.ts'
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
export { ENDS, type SyncOptions, syncFeeds } from './mirror.ts'
export { type NextLog, openNextLog } from './next-log.ts'
export { checkPromises, type KeptPromises } from './promises.ts'
export { type ItemProof, type ItemProofs, proveReads, type ReaderTotal, readersOf } from './readers.ts'
export { makeSigningKey, type OwnSigningKey, openSigningKey } from './signing-key.ts'
export type { TlsIdentity } from './transport.ts'
export { createTree, type VerifiedTree } from './tree.ts'
export {
  advanceHead,
  checkReceipt,
  createVerifier,
  openVkey,
  readName,
  type VerifiedEvent,
  type Verifier,
} from './verify.ts'
export { expectWitnessed, openPolicy } from './witnessed.ts'
