/**
 * The audit of an exported log in a process of its own, whose memory and core nobody shares; or, with a number of entries
 * instead of a folder, the bare SHA-256 of as many leaves and nodes. With records it makes every check. Tells what it took as JSON.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { auditLog } from '../../src/audit/audit.ts'
import { folderLog } from '../../src/client/log-source.ts'
import { folderRecords } from '../../src/client/record-files.ts'
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

const [what = '', dir = '', kept = ''] = process.argv.slice(2)
const began = performance.now()
const result = what === 'hash' ? hashOnly(Number(dir)) : await audit(what === 'whole')
const seconds = (performance.now() - began) / 1_000
const told: Told = { seconds, rss: process.resourceUsage().maxRSS * 1_024, result }
process.stdout.write(JSON.stringify(told))

async function audit(withRecords: boolean): Promise<string> {
  const key = openVkey(readFileSync(join(dir, 'vkey'), 'utf8'))
  const done = await auditLog({
    ...{ hash: sha256, source: folderLog(dir), pinned: { key, verify: verifyEd25519 }, now: new Date() },
    ...{ policy: parsePolicy(sha256, 'quorum none\n'), kept: [{ name: 'kept', note: readFileSync(kept, 'utf8') }] },
    records: withRecords ? folderRecords(dir) : undefined,
  })
  return done.result === 'PASS' ? 'PASS' : JSON.stringify(done.findings)
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
