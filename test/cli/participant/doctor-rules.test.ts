import { expect, test } from 'vitest'
import {
  clockText,
  lagText,
  limitText,
  pinText,
  proxyText,
  webhookText,
  withheldText,
} from '../../../src/cli/participant/doctor-rules.ts'
import { newId } from '../../../src/kernel/ids.ts'

const NOW = new Date('2026-11-27T10:00:00Z')
const inDays = (days: number): string => new Date(NOW.getTime() + days * 86_400_000).toISOString()

test('a pin that ends soon asks for two administrators', () => {
  expect(pinText(inDays(60), NOW)).toContain('60 days')
  expect(() => pinText(inDays(13), NOW)).toThrow('two administrators')
})

test('a clock may be a minute off, by the middle of the question', () => {
  const asked = { before: NOW.getTime() - 4_000, after: NOW.getTime() + 4_000 }
  expect(clockText(NOW.toISOString(), asked)).toContain('within 1 s')
  expect(() => clockText(new Date(NOW.getTime() - 90_000).toISOString(), asked)).toThrow('90 seconds')
})

test('variables that come between us and the node are told, those that do nothing too', () => {
  expect(proxyText({})).toBe('none')
  expect(proxyText({ HTTPS_PROXY: 'http://proxy.example' })).toContain('not used')
  expect(() => proxyText({ HTTPS_PROXY: 'http://proxy.example', NODE_USE_ENV_PROXY: '1' })).toThrow(
    'NODE_USE_ENV_PROXY',
  )
  expect(() => proxyText({ NODE_TLS_REJECT_UNAUTHORIZED: '0' })).toThrow('unset it')
})

test('a mirror that is behind is told by how much, and one that is not there is no fault', () => {
  const feed = {
    ...{ feed: newId(NOW), kind: 'audience' as const, mode: 'full' as const, audience: null, label: 'fruit' },
    ...{ from_seq: '5', last_seq: '9', sealed_seq: '0', start: 'x' },
  }
  expect(lagText([feed], () => undefined)).toContain('none mirrored')
  expect(lagText([feed], () => 9n)).toContain('to their end')
  expect(lagText([feed], () => 6n)).toContain('fruit: 3 behind')
})

test('an endpoint whose last message was not taken is a fault', () => {
  const endpoint = {
    ...{ endpoint: newId(NOW), url: 'https://hooks.example/', kinds: ['feed.advanced'], feeds: [newId(NOW)] },
    ...{ made_at: NOW.toISOString(), secret_no: 1, rotated_at: null },
  }
  expect(webhookText([], () => undefined)).toBe('none')
  expect(webhookText([endpoint], () => null)).toContain('of none failed')
  expect(() => webhookText([endpoint], () => 'untrusted')).toThrow('untrusted')
})

test('a quota that is used up says until when, and a burst that is nearly used is told', () => {
  const burst = { name: 'requests_per_credential_burst', used: 390, limit: 400 }
  const connections = { name: 'connections_per_credential', used: 1, limit: 64 }
  const own = { credential: newId(NOW), label: 'main', limits: [connections, burst] }
  const quota = (used: number) => ({
    ...{ name: 'oprf_elements_per_day', purpose: 'lookup' as const, used, limit: 100, resets_at: inDays(1) },
  })
  const list = (used: number) => ({ at: NOW.toISOString(), credentials: [own], limits: [quota(used)] })
  expect(limitText(list(99))).toBe('lookup 99 of 100, requests_per_credential_burst 390 of 400')
  expect(() => limitText(list(100))).toThrow(`lookup is used up until ${inDays(1)}`)
})

test('what a bridge kept from its clients is told by reason, and nothing else of its metrics', () => {
  const metrics = [
    '# TYPE aldis_bridge_formless_total counter',
    'aldis_bridge_formless_total{why="no-form"} 2',
    'aldis_bridge_formless_total{why="no-stix-form"} 3',
    'aldis_bridge_formless_total{why="key-epoch-unknown"} 0',
    'aldis_bridge_withheld_total{how="match"} 4',
    'aldis_bridge_queries_total{how="match",outcome="match"} 9',
  ].join('\n')
  expect(withheldText(metrics)).toBe('withheld since its start: 5 without a form there, 4 at TLP red')
  expect(withheldText('aldis_bridge_withheld_total{how="match"} 0')).toBe('nothing withheld')
})
