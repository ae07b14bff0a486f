import { sql } from 'kysely'
import type { Page, Route } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { logKid } from '../../../src/core.ts'
import { utf8 } from '../../../src/kernel/bytes.ts'
import { sha256 } from '../../../src/kernel/sha256.ts'
import { checkpointText } from '../../../src/provenance/checkpoint.ts'
import { signatureLine } from '../../../src/provenance/note.ts'
import { expectAccessible, hasChromium, type Visitor, visit } from '../../support/browser.ts'
import { aLogWorld, explored, type LogWorld } from '../log-world.ts'

let w: LogWorld
const known = new Map<string, Visitor>()

async function as(name: string, path: string, options: Parameters<typeof visit>[1] = {}): Promise<Visitor> {
  const key = `${name} ${JSON.stringify(options)}`
  const before = known.get(key)
  if (before !== undefined) {
    await before.goto(path)
    return before
  }
  const one = await visit(w.node, options)
  known.set(key, one)
  await one.signIn(name, path)
  return one
}

const rows = (page: Page) => page.locator('#entries tbody tr')
const resultOf = (page: Page, step: string) =>
  page.locator(`#proof-steps [data-step=${step}]`).getAttribute('data-result')
const SUBMITTED = 'tr[data-kind="signal.submitted"]'

/** The entry of the submission, by its number. */
async function submittedAt(): Promise<string> {
  const { owner } = w.node.t
  const row = await owner
    .selectFrom('log_entry')
    .select('idx')
    .where('kind', '=', 'signal.submitted')
    .executeTakeFirstOrThrow()
  return String(row.idx)
}

/** Lets the browser be answered with something else than the node says. */
async function forged(
  page: Page,
  path: RegExp,
  change: (body: Buffer) => Buffer | string | Promise<string>,
): Promise<void> {
  await page.route(path, async (route: Route) => {
    const answer = await route.fetch()
    await route.fulfill({ response: answer, body: await change(await answer.body()) })
  })
}

async function proven(visitor: Visitor, index: string): Promise<Page> {
  const { page } = visitor
  await visitor.goto(`/log/entries/${index}`)
  await page.locator('#proof[data-proven]').waitFor()
  return page
}

describe.skipIf(!hasChromium)('the log, as governance looks at it', () => {
  beforeAll(async () => {
    w = await aLogWorld()
  }, 120_000)
  afterAll(() => w.node.end())
  afterEach(async () => {
    for (const { page, violations } of known.values()) {
      await page.unrouteAll()
      expect(violations).toEqual([])
    }
  })

  test('a filter is text, chips and address alike; what contradicts itself is told by name', async () => {
    const { page } = await as('Gil', '/log/entries')
    await expectAccessible(page)
    await page.fill('#find', 'kind:signal.* actor:aster')
    await page.press('#find', 'Enter')
    await page.waitForURL(/q=kind/)
    expect(await rows(page).count()).toBe(2)
    expect(await page.locator(`${SUBMITTED} td`).allInnerTexts()).toContain('birch, cedar')
    await page.getByRole('link', { name: 'actor:aster remove this filter' }).click()
    expect(await page.inputValue('#find')).toBe('kind:signal.*')
    await page.fill('#find', 'kind:signal.* -kind:signal.*')
    await page.press('#find', 'Enter')
    await page.locator('#find-error').waitFor()
    expect(await page.locator('#find-error').innerText()).toContain('filter-conflict')
    expect(await page.inputValue('#find')).toContain('-kind')
  })

  test('a page is verified row by row in the browser, and each row says who verified it', async () => {
    const { page } = await as('Gil', '/log/entries?q=kind%3Asignal.*')
    expect(await rows(page).last().innerText()).toMatch(/Verified by server at \d\d:\d\d/)
    await page.getByRole('button', { name: 'Verify this page here' }).click()
    await page.getByText(`${await rows(page).count()} entries verified in this browser`).waitFor()
    expect(await rows(page).last().innerText()).toContain('Verified in this browser')
    await expectAccessible(page)
  })

  test('a row is verified in the browser only where its record opens all that the row says', async () => {
    const { page } = await as('Lea', '/log/entries')
    await page.getByRole('button', { name: 'Verify this page here' }).click()
    await page.locator('#verify-result .note-info').waitFor()
    const badges = async (own: string) =>
      new Set(await page.locator(`#entries tbody tr${own} td:last-child`).allInnerTexts())
    expect([
      await badges('[data-kind="feedback.given"][data-actor=birch]'),
      await badges(':not([data-actor=birch])'),
    ]).toEqual([new Set(['Verified in this browser']), new Set(['Not verified here'])])
  })

  test('a row that says another actor than its record fails, for the server and in the browser', async () => {
    const { owner } = w.node.t
    const sayActor = (actor: string) =>
      sql`update log_entry set actor = ${actor} where kind = 'signal.submitted'`.execute(owner)
    const { page } = await as('Gil', '/log')
    try {
      await page.goto(`${w.node.console}/log/entries?q=kind%3Asignal.submitted`)
      await page.locator(SUBMITTED).evaluate((row) => row.setAttribute('data-actor', 'birch'))
      await page.getByRole('button', { name: 'Verify this page here' }).click()
      await page.getByText('FAILED: 1 of the entries do not fit').waitFor()
      await sayActor('birch')
      await page.reload()
      expect(await page.locator(SUBMITTED).innerText()).toMatch(/birch.*FAILED/s)
    } finally {
      await sayActor('aster')
    }
  })

  test('a report is computed, drawn and proposed; what governance works with beside is accessible', async () => {
    await w.node.parts.anomalies.attempted('office')
    const visitor = await as('Gil', '/reports')
    const { page } = visitor
    const day = (back: number) => new Date(Date.now() - back * 86_400_000).toISOString().slice(0, 10)
    await page.getByLabel('From').fill(day(9))
    await page.getByLabel('To, without it').fill(day(0))
    const asked = page.waitForResponse((answer) => answer.request().method() === 'POST')
    await page.getByRole('button', { name: 'Compute' }).click()
    await asked
    await expect
      .poll(
        async () => {
          await visitor.goto('/reports')
          return page.getByRole('link', { name: 'Look at the draft' }).count()
        },
        // A person may ask for so many pages a moment.
        { timeout: 20_000, interval: 500 },
      )
      .toBe(1)
    await page.getByRole('link', { name: 'Look at the draft' }).click()
    await page.getByRole('heading', { name: 'Signals shared' }).waitFor()
    await expectAccessible(page)
    await page.getByRole('button', { name: 'Propose publication' }).click()
    await page.getByRole('heading', { name: 'Proposed by you' }).waitFor()
    const [signal] = w.signals
    for (const path of ['/anomalies', '/anomalies/feeds', '/retention', `/log/readers?signal=${signal?.signal}`]) {
      await visitor.goto(path)
      await expectAccessible(page)
    }
    await visitor.goto('/changes')
    expect(await page.getByRole('table').innerText()).toContain('Taxonomy')
  })

  test('an observer sees what kind, when and by whom, and never what it says', async () => {
    const index = await submittedAt()
    const { page } = await as('Otto', `/log/entries/${index}`)
    await page.locator('.fields-opened').waitFor()
    const fields = await page.locator('.fields-opened dt').allInnerTexts()
    expect(fields.map((one) => one.toLowerCase()).sort()).toEqual(['actor', 'time', 'type'])
    await page.locator('#proof[data-proven=passed]').waitFor()
    expect(await resultOf(page, 'leaf')).toBe('PASS')
  })

  test('an organisation finds its own entries, analysts none', async () => {
    const lead = await as('Lea', '/log/entries')
    for (const row of await rows(lead.page).all())
      expect(`${await row.getAttribute('data-actor')} ${await row.innerText()}`).toMatch(/birch/)
    await lead.goto('/log/entries?q=kind%3Asignal.submitted')
    expect(await lead.page.getByText('No entry fits this view').count()).toBe(1)
    const analyst = await as('Ana', '/log/entries')
    expect(await analyst.page.locator('h1').textContent()).toBe('Nothing here')
  })

  test('a proof is done in the browser, step by step, and remembered for the next', async () => {
    await explored(w.node)
    const page = await proven(await as('Gil', '/log'), await submittedAt())
    expect(await page.locator('#proof-verdict').innerText()).toMatch(/Verified in this browser/)
    for (const step of ['leaf', 'path', 'signature']) expect(await resultOf(page, step)).toBe('PASS')
    expect(await resultOf(page, 'witnesses')).toBe('UNKNOWN')
    await page.getByRole('button', { name: 'Run again' }).click()
    await page.locator('[data-step=consistency][data-result=PASS]').waitFor()
    expect(Object.keys(await page.evaluate(() => ({ ...localStorage })))).toEqual([
      expect.stringMatching(/^aldis-log /),
    ])
    await expectAccessible(page)
  })

  describe('what was forged fails at its step, and says whom to call', () => {
    const failing = async (visitor: Visitor, index: string, step: string): Promise<void> => {
      const page = await proven(visitor, index)
      expect(await page.locator('#proof').getAttribute('data-proven')).toBe('failed')
      const failed = page.locator('#proof-steps [data-result=FAIL]')
      expect(await failed.first().getAttribute('data-step')).toBe(step)
      expect(await page.locator('#proof-verdict').innerText()).toContain('the duty desk on +353 1 555 0100')
    }

    test('a record that was changed: the leaf', async () => {
      const index = await submittedAt()
      const visitor = await as('Gil', '/log')
      await forged(visitor.page, new RegExp(`/log/entries/${index}$`), (body) => {
        const [, encoded = ''] = /extra ([A-Za-z0-9+/=]+)/.exec(body.toString()) ?? []
        const extra = JSON.parse(Buffer.from(encoded, 'base64').toString()) as {
          payload: string
          disclosures: string[]
        }
        const lie = {
          ...extra,
          disclosures: extra.disclosures.map((one, i) => (i === 0 ? toUrl(['x', 'type', 'erasure']) : one)),
        }
        return body.toString().replace(encoded, Buffer.from(JSON.stringify(lie)).toString('base64'))
      })
      await failing(visitor, index, 'leaf')
    })
    test('a tile with another leaf beside: the path', async () => {
      const index = await submittedAt()
      const visitor = await as('Gil', '/log')
      await forged(visitor.page, /\/log\/1\/tile\/0\//, (body) => {
        const other = Number(index) === 0 ? 1 : 0
        body[32 * other] = (body[32 * other] ?? 0) ^ 1
        return body
      })
      await failing(visitor, index, 'path')
    })
    test('a checkpoint under another signature: the signature', async () => {
      const visitor = await as('Gil', '/log')
      await forged(visitor.page, /\/log\/1\/checkpoint$/, (body) => {
        const text = body.toString()
        const [text64 = ''] = /[A-Za-z0-9+/=]+\n$/.exec(text) ?? []
        const bytes = Buffer.from(text64.trim(), 'base64')
        bytes[20] = (bytes[20] ?? 0) ^ 1
        return text.replace(text64.trim(), bytes.toString('base64'))
      })
      await failing(visitor, await submittedAt(), 'signature')
    })
    test('a policy whose witness did not cosign: the cosignature', async () => {
      const visitor = await as('Gil', '/log')
      const vkey = 'witness.example/w1+24b5d9fe+BP0XJDhaoMdbZPt4zWAvodmR/ev3axPFjtcC6sg16fYY'
      await visitor.page.route(/\/log\/1\/policy$/, (route) =>
        route.fulfill({ status: 200, body: `witness w1 ${vkey}\nquorum w1\n`, contentType: 'text/plain' }),
      )
      await failing(visitor, await submittedAt(), 'witnesses')
    })
    test('a log that went back, signed by its own key: the consistency', async () => {
      const { keys } = w.node.parts
      const index = await submittedAt()
      const visitor = await as('Gil', '/log')
      await proven(visitor, index)
      await forged(visitor.page, /\/log\/1\/checkpoint$/, async (body) => {
        const [origin = ''] = body.toString().split('\n')
        const text = checkpointText({ origin, size: BigInt(index) + 1n, root: new Uint8Array(32) })
        const by = {
          name: origin,
          publicKey: keys.publicKey(logKid(1)),
          signature: await keys.sign(logKid(1), utf8(text)),
        }
        return `${text}\n${signatureLine(sha256, by)}`
      })
      const page = await proven(visitor, index)
      expect(await resultOf(page, 'signature')).toBe('PASS')
      expect(await resultOf(page, 'consistency')).toBe('FAIL')
      expect(await page.locator('[data-step=consistency]').innerText()).toContain('went back')
    })
  })

  test('a file is checked in the tab alone; one with a changed byte fails', async () => {
    const visitor = await as('Gil', `/log/entries/${await submittedAt()}`)
    const { page } = visitor
    const receipt = (await page.locator('#receipt').textContent()) ?? ''
    await visitor.goto('/log/validate')
    const sent: string[] = []
    page.on('request', (request) => sent.push(new URL(request.url()).pathname))
    const give = (text: string) =>
      page.setInputFiles('#proof-file', { name: 'a.receipt', mimeType: 'text/plain', buffer: Buffer.from(text) })
    await give(receipt)
    await page.getByText('1 of 1 verified in a.receipt').waitFor()
    await expectAccessible(page)
    await give(receipt.replace(/\nindex (\d+)/, (_, n: string) => `\nindex ${Number(n) - 1}`))
    await page.getByText('FAILED: 1 of 1').waitFor()
    expect(await page.locator('.validated-list [data-step=path]').getAttribute('data-result')).toBe('FAIL')
    await give('no receipt')
    await page.getByText('neither a receipt nor a proof bundle').waitFor()
    // The shell asks how long the session lasts, and for what every page loads.
    expect(sent.filter((one) => one !== '/session' && !one.startsWith('/assets/'))).toEqual([])
  })

  test('where the browser has no Ed25519 nothing is called verified: no entry, no row, no receipt of anybody’s making', async () => {
    const index = await submittedAt()
    const visitor = await visit(w.node)
    known.set('without Ed25519', visitor)
    await visitor.context.addInitScript(() => {
      SubtleCrypto.prototype.importKey = () => Promise.reject(new DOMException('none', 'NotSupportedError'))
    })
    await visitor.signIn('Gil', `/log/entries/${index}`)
    const { page } = visitor
    await page.locator('#proof[data-proven=unproven]').waitFor()
    expect(await page.locator('#proof-verdict').innerText()).toContain('Not verified in this browser')
    expect([await resultOf(page, 'path'), await resultOf(page, 'signature')]).toEqual(['PASS', 'UNKNOWN'])
    await expectAccessible(page)
    const receipt = (await page.locator('#receipt').textContent()) ?? ''
    await visitor.goto('/log/validate')
    // Signed by nobody: of the signature only the id of the key is left.
    const made = receipt.replace(/(\n\n— \S+ )(\S+)/, (_, before: string, line: string) => {
      const signature = Buffer.from(line, 'base64').fill(7, 4)
      return `${before}${signature.toString('base64')}`
    })
    expect(made).not.toBe(receipt)
    for (const text of [receipt, made]) {
      await page.setInputFiles('#proof-file', { name: 'a.receipt', mimeType: 'text/plain', buffer: Buffer.from(text) })
      await page.locator('#validated .note-info').getByText('0 of 1 verified in a.receipt').waitFor()
      await page.setInputFiles('#proof-file', [])
    }
    await visitor.goto('/log/entries?q=kind%3Asignal.*')
    await page.getByRole('button', { name: 'Verify this page here' }).click()
    await page
      .locator('#verify-result .note-info')
      .getByText(/^0 of \d+ entries verified/)
      .waitFor()
    expect(await rows(page).last().innerText()).toContain('Not verified here')
  })

  test('without JavaScript the verification is the server’s, and is called so', async () => {
    const { page } = await as('Gil', `/log/entries/${await submittedAt()}`, { javaScript: false })
    expect(await page.locator('#proof-verdict').innerText()).toMatch(/Verified by server at/)
    expect(await resultOf(page, 'path')).toBe('PASS')
    await page.goto(`${w.node.console}/log/matrix`)
    expect(await page.locator('#matrix').innerText()).toContain('aster')
  })

  test('the matrix says who shared with whom, marks what was not expected, and moves by arrow keys', async () => {
    const visitor = await as('Gil', '/log/matrix')
    const { page } = visitor
    const cell = (from: string, to: string) => page.getByRole('link', { name: new RegExp(`^${from} to ${to}: `) })
    expect(await cell('aster', 'birch').innerText()).toBe('3')
    expect(await cell('birch', 'aster').innerText()).toBe('0')
    await expectAccessible(page)
    await cell('aster', 'birch').focus()
    await page.keyboard.press('ArrowRight')
    expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toMatch(/^aster to cedar: 3/)
    await page.keyboard.press('ArrowDown')
    expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toMatch(/^birch to cedar/)
    await cell('aster', 'birch').click()
    await page.locator(SUBMITTED).waitFor()
    expect(await rows(page).count()).toBe(1)
    await visitor.goto('/log/matrix?measure=not_violating')
    expect(await cell('aster', 'cedar').innerText()).toBe('1')
    const own = await as('Pat', '/log/matrix')
    expect(await own.page.getByRole('link', { name: /^birch to cedar/ }).count()).toBe(0)
  })

  test('a person’s request is matched in the tab: the value never leaves it, and the signal is found', async () => {
    const visitor = await as('Gil', '/registers/subjects')
    const { page } = visitor
    const sent: string[] = []
    page.on('request', (request) => sent.push(`${request.url()} ${request.postData() ?? ''}`))
    await page.getByLabel('Received on').fill(new Date().toISOString().slice(0, 10))
    await page.getByRole('button', { name: 'Enter' }).click()
    await page.getByRole('heading', { name: 'Find what it is about' }).waitFor()
    await page.getByLabel('Value').fill('https://bad.example/one')
    await page.getByRole('button', { name: 'Find', exact: true }).click()
    await page.getByRole('heading', { name: '1 signal of aster' }).waitFor()
    expect(sent.filter((one) => one.includes('bad.example') || one.includes('bad%2Eexample'))).toEqual([])
    await expectAccessible(page)
  })

  test('what administrators work with is accessible, and shows what would be touched before it is', {
    timeout: 90_000,
  }, async () => {
    await w.node.persona({ name: 'Nod', organisation: 'office', roles: ['node_admin'] })
    const { participants } = w.node.parts
    const gil = (await participants.listPeople()).find(({ name }) => name === 'Gil')
    const made = { slug: 'grove', name: 'Grove', mode: 'full', members: ['aster', 'birch'] }
    const { request_id } = await participants.propose('group.create', made, w.node.ada)
    await participants.approve(request_id, gil?.person_id ?? w.node.ada, new Date())
    await participants.execute(request_id, w.node.ada)
    const visitor = await as('Nod', '/participants')
    const { page } = visitor
    await page.getByRole('link', { name: 'birch' }).first().click()
    await page.getByRole('heading', { name: 'TLS keys' }).waitFor()
    await expectAccessible(page)
    await page.getByRole('link', { name: /^Suspend/ }).click()
    await page.getByRole('heading', { name: 'What it touches' }).waitFor()
    await visitor.goto('/onboarding')
    await page.getByLabel('Name', { exact: true }).fill('Dove')
    await page.getByLabel('Short name').fill('dove')
    await page.getByRole('button', { name: 'Begin' }).click()
    await page.getByRole('heading', { name: 'Admission', exact: true }).waitFor()
    await expectAccessible(page)
    await visitor.goto('/groups/grove')
    await page.getByLabel('birch').uncheck()
    await page.getByRole('button', { name: 'See what a change would do' }).click()
    await page.getByRole('heading', { name: 'What would change' }).waitFor()
    await expectAccessible(page)
    await visitor.goto('/sight')
    await page.getByRole('button', { name: 'Suppose' }).click()
    await page.locator('#answer').waitFor()
    await expectAccessible(page)
  })
})

const toUrl = (parts: readonly string[]): string => Buffer.from(JSON.stringify(parts)).toString('base64url')
