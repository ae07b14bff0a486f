import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'

const read = <T>(name: string): T =>
  JSON.parse(readFileSync(join(import.meta.dirname, '../vectors/provenance', `${name}.json`), 'utf8')) as T

interface Chain {
  party: string
  seq: number
  salt: string
  link: string
}

export const TREE = read<{ entries: string[]; roots: string[] }>('tree')
export const NOTE = read<{ private_key: string; vkey: string; text: string; line: string; note: string }>('note')
export const ED25519 = read<{ cases: { public_key: string; message: string; signature: string }[] }>('ed25519')
export const TESSERA = read<{
  vkey: string
  entries: string[]
  checkpoints: string[]
  tile_0_000_p_15: string
  tile_entries_000_p_15: string
}>('tessera-log')
export const RECORD = read<{
  one_party: {
    origin: string
    party: string
    seq: number
    fields: { name: string; value: string; salt: string; disclosure: string; digest: string }[]
    payload: string
    payload_sha256: string
    c: string
    chain_salt: string
    link_0: string
    link_1: string
    chain_disclosure: string
    chain_digest: string
    chains_hash: string
    entry: string
    leaf: string
  }
  three_parties_and_a_decoy: {
    origin: string
    c: string
    chains: Chain[]
    decoy_salt: string
    chains_hash: string
    entry: string
    leaf: string
  }
}>('record')
export const LOG = read<{
  origin: string
  log_seed: string
  witness_name: string
  witness_seed: string
  vkey: string
  witness_vkey: string
  entries: string[]
  index: number
  path: string[]
  root: string
  checkpoint_text: string
  log_line: string
  witness_line: string
  witness_seconds: string
  checkpoint: string
  consistency: { from: number; root: string; path: string[] }
  receipt: string
  receipt_characters: number
  receipt_bytes: number
  receipt_sha256: string
}>('log')
export const READSET = read<{
  set_salt: string
  party: string
  items: { signal: string; revision: number }[]
  set_key: string
  leaf_data: string[]
  set_root: string
  source_root: string
  asked: { keys: string[]; digest: string }
  hmac: { cases: { key: string; data: string; mac: string }[] }
}>('readset')

export const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'))

/** The same bytes with one bit turned. */
export function flipped(data: Uint8Array, bit: number): Uint8Array {
  const copy = new Uint8Array(data)
  const at = Math.floor(bit / 8) % copy.length
  copy[at] = (copy[at] ?? 0) ^ (1 << (bit % 8))
  return copy
}

/** Some bit of what it falls on; `flipped` folds it into the length. */
export const aBit = fc.nat({ max: 8 * 4_096 - 1 })
export const aHash = fc.uint8Array({ minLength: 32, maxLength: 32 })
