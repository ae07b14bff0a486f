/**
 * The audit of an exported log in a process of its own, whose memory and core nobody shares: checks 1 to 4, or with `whole` every
 * check, by the very command that auditors run; or, with a number of entries instead of a folder, the bare SHA-256 of as many
 * leaves and nodes. Tells what it took as JSON in the last line.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { auditLog } from '../../src/audit/audit.ts'
import { folderLog } from '../../src/client/log-source.ts'
import { openVkey } from '../../src/client/verify.ts'
import { sha256 } from '../../src/kernel/sha256.ts'
import { verifyEd25519 } from '../../src/provenance/ed25519.ts'
import { parsePolicy } from '../../src/provenance/policy.ts'

export interface Told {
  seconds: number
  /** Bytes of resident memory at the most. */
  rss: number
  /** PASS, or what did not. */
  result: string
}

/** A policy without witnesses. */
const NOBODY = 'quorum none\n'

const [what = '', dir = '', kept = ''] = process.argv.slice(2)
const began = performance.now()
const result = what === 'hash' ? hashOnly(Number(dir)) : await (what === 'whole' ? wholeAudit() : audit())
const seconds = (performance.now() - began) / 1_000
const told: Told = { seconds, rss: process.resourceUsage().maxRSS * 1_024, result }
process.stdout.write(`\n${JSON.stringify(told)}\n`)

async function audit(): Promise<string> {
  const key = openVkey(readFileSync(join(dir, 'vkey'), 'utf8'))
  const done = await auditLog({
    ...{ hash: sha256, source: folderLog(dir), pinned: { key, verify: verifyEd25519 }, now: new Date() },
    ...{ policy: parsePolicy(sha256, NOBODY), kept: [{ name: 'kept', note: readFileSync(kept, 'utf8') }] },
  })
  return done.result === 'PASS' ? 'PASS' : JSON.stringify(done.findings)
}

/** `aldis audit` as it is run from a shell, from its first line to its last. */
async function wholeAudit(): Promise<string> {
  const policy = join(dir, 'policy')
  writeFileSync(policy, NOBODY)
  const options = ['--log', dir, '--vkey', join(dir, 'vkey'), '--kept', kept, '--policy', policy]
  process.argv.splice(2, process.argv.length, 'audit', ...options)
  await import('../../src/cli/main.ts')
  return process.exitCode === 0 ? 'PASS' : `exit code ${process.exitCode}`
}

function hashOnly(entries: number): string {
  const [leaf, node] = [Buffer.alloc(34), Buffer.alloc(65, 1)]
  for (let i = 0; i < entries; i++) {
    leaf.writeUInt32BE(i, 1)
    sha256(leaf).copy(node, 1)
    sha256(node).copy(node, 33)
  }
  return 'PASS'
}
