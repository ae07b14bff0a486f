import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Reserved domains, fictitious numbers, invented names: nothing here is anybody's. `run` makes each run's its own. */
export function rawLines(run: string): Record<string, unknown>[] {
  return [
    {
      type: 'url',
      raw: `https://invite-${run}.example/join?from=chat`,
      category: 'advertising_of_csam',
      handling: 'block_link',
    },
    { type: 'domain', raw: `lures-${run}.example`, category: 'network_hub' },
    { type: 'email', raw: `Mallory.${run}@Mail.Example`, category: 'sextortion_financial', severity: 'critical' },
    { type: 'phone', raw: '+1 201 555 0123', category: 'sextortion_financial' },
    { type: 'username', raw: `@Kind_Coach_${run}`, service: 'apricot' },
    { type: 'payment_handle', raw: `$gift${run}`, service: 'cashtag', category: 'sextortion_financial' },
    { type: 'ip', raw: '203.0.113.77', category: 'evasion_tactic' },
    {
      type: 'keyword_pattern',
      category: 'evasion_tactic',
      pattern: {
        ...{ kind: 're2', text: `blue\\s+kite\\s+${run}`, language: 'en', case_sensitive: false, whole_word: true },
        must_match: [`Blue  Kite ${run}`, `ask for a blue kite ${run}!`, `A BLUE KITE ${run}`],
        must_not_match: ['blue sky', `bluekite ${run}`, `a true-blue kites ${run}`],
      },
    },
    { type: 'media_hash', algorithm: 'pdq', hash: pdqOf(run), category: 'csam_distribution', severity: 'critical' },
    {
      type: 'tactic',
      category: 'grooming',
      tactic: {
        title: 'Move from a public game to a private chat',
        steps: ['praise in the public chat', 'offer of a gift', 'invitation to another service'],
        ...{ surfaces: ['game_chat'], lures: ['in-game currency'], payment_rails: ['gift_card'] },
        detection: ['gift offered within ten minutes of the first message'],
      },
    },
    // One mistake, so that the answer to a mistake is seen too.
    { type: 'email', raw: 'not an address' },
  ]
}

/** 256 bits that no image has: a digest of the run, half of them set. */
function pdqOf(run: string): string {
  let state = [...run].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) >>> 0, 7)
  const digits = Array.from({ length: 64 }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return '3569ac'[(state >>> 24) % 6]
  })
  return digits.join('')
}

export function writeRaw(dir: string, name: string, lines: readonly object[]): string {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const path = join(dir, name)
  writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''), { mode: 0o600 })
  return path
}
