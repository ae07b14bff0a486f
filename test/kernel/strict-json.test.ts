import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Refusal } from '../../src/kernel/errors.ts'
import { JSON_LIMITS, parseStrict } from '../../src/kernel/strict-json.ts'

interface Fault {
  code: string
  pointer: string | undefined
}

/** How a text is refused. */
function faultOf(input: string | Uint8Array, limits = JSON_LIMITS): Fault {
  try {
    parseStrict(input, limits)
  } catch (error) {
    if (error instanceof Refusal) return { code: error.code, pointer: error.errors[0]?.pointer }
    throw error
  }
  return { code: 'accepted', pointer: undefined }
}

const escapeOf = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
const space = fc.string({ unit: fc.constantFrom(' ', '\n', '\r', '\t'), maxLength: 2 })
const plain = fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }).map((one) => JSON.stringify(one).slice(1, -1))
const escaped = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 1 })
  .map((one) => [...Array(one.length).keys()].map((i) => escapeOf(one.charAt(i))).join(''))
const short = fc.constantFrom(
  '\\/',
  '\\b',
  '\\f',
  '\\n',
  '\\r',
  '\\t',
  '\\"',
  '\\\\',
  '/',
  '\u007f',
  '\u2028',
  '\u2029',
)
const string = fc.array(fc.oneof(plain, escaped, short), { maxLength: 6 }).map((parts) => `"${parts.join('')}"`)
/**
 * None with a backslash in it: V8 takes a name that is written with an escape for an earlier one that begins with that very backslash
 * (`{"a":0,"\\/":1}` after `{"a":0,"\\\\":1}`), so that JSON.parse says nothing of what is right there.
 */
const name = string.filter((text) => !(JSON.parse(text) as string).includes('\\'))
const number = fc.oneof(
  fc.maxSafeInteger().map(String),
  fc.constantFrom('0', '-0', '0.5', '-0.0', '1e2', '1E+2', '25e-1', '1.50', '9007199254740991', '0e0', '5e-324'),
  fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }).map((one) => JSON.stringify(one)),
)

/** Texts of documents that both parsers take: every spelling of white space, escapes and numbers. */
const document = fc.letrec<{ value: string }>((tie) => ({
  value: fc
    .tuple(
      space,
      fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom('true', 'false', 'null'),
        number,
        string,
        fc.tuple(fc.array(tie('value'), { maxLength: 4 }), space).map(([items, gap]) => `[${items.join(',') || gap}]`),
        fc
          .tuple(
            fc.uniqueArray(fc.tuple(space, name, space, tie('value')), {
              maxLength: 4,
              selector: ([, name]) => JSON.parse(name) as string,
            }),
            space,
          )
          .map(([members, gap]) => {
            const texts = members.map(([before, name, after, value]) => `${before}${name}${after}:${value}`)
            return `{${texts.join(',') || gap}}`
          }),
      ),
      space,
    )
    .map((parts) => parts.join('')),
})).value

test('a valid document is what JSON.parse makes of it, as text and as bytes', () => {
  fc.assert(
    fc.property(document, (text) => {
      const expected: unknown = JSON.parse(text)
      expect(parseStrict(text)).toStrictEqual(expected)
      expect(parseStrict(Buffer.from(text))).toStrictEqual(expected)
    }),
    { numRuns: 1_000 },
  )
})

test('a name that is written with an escape is read for itself, whatever was read before', () => {
  for (const text of ['{"a":0,"\\\\":1}', '{"a":0,"\\/":1}', '{"a":0,"\\u0041":1}']) parseStrict(text)
  expect(Object.keys(parseStrict('{"a":0,"\\/":1}') as object)).toEqual(['a', '/'])
  expect(Object.keys(parseStrict('{"a":0,"\\u0041":1}') as object)).toEqual(['a', 'A'])
})

test('a document with a fault is never read in another way than by JSON.parse', () => {
  const spoilt = fc
    .tuple(document, fc.nat(), fc.constantFrom('', ...'{}[]",:\\u0019-+.eE/ \n\0tfn', '\ufeff', '\ud800'), fc.boolean())
    .map(([text, place, put, over]) => {
      const at = place % (text.length + 1)
      return text.slice(0, at) + put + text.slice(over ? at + 1 : at)
    })
  fc.assert(
    fc.property(spoilt, (text) => {
      const { code } = faultOf(text)
      const expected = attempt(text)
      if (code === 'accepted') expect({ value: parseStrict(text) }).toStrictEqual(expected)
      // What JSON.parse refuses has a fault of syntax, unless a strict one comes before it.
      else if (expected === undefined) expect(['invalid-json', 'json-strict']).toContain(code)
      else expect(code).toBe('json-strict')
    }),
    { numRuns: 3_000 },
  )
})

function attempt(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown }
  } catch {
    return undefined
  }
}

test.for([
  '',
  ' ',
  '{',
  '[',
  '"pear',
  '"pear\\',
  '"\\"',
  '"\\x61"',
  '"\\u00g1"',
  '"\\u061"',
  '"a\nb"',
  '"\t"',
  "'pear'",
  'pear',
  'nul',
  'True',
  'NaN',
  'Infinity',
  'undefined',
  '01',
  '-',
  '-01',
  '+1',
  '.5',
  '1.',
  '1.e1',
  '1e',
  '1e+',
  '0x10',
  '1_000',
  '1n',
  '[1,]',
  '[,1]',
  '[1 2]',
  '[1}',
  '{"a":1,}',
  '{,}',
  '{"a"}',
  '{"a" 1}',
  '{"a":}',
  '{a:1}',
  '{1:1}',
  '{"a":1]',
  '{"a":1 "b":2}',
  '1 2',
  '{}{}',
  '[]]',
  'null,',
  '// pear\n1',
  '/* pear */1',
  '\ufeff{}',
  '\u00a01',
  '\u20281',
  '\u000b1',
  '1\0',
])('%j is not JSON', (text) => {
  expect(attempt(text)).toBeUndefined()
  expect(faultOf(text).code).toBe('invalid-json')
  expect(faultOf(Buffer.from(text)).code).toBe('invalid-json')
})

describe('a duplicate key is refused', () => {
  test.for([
    ['as it stands', '{"a":1,"a":2}', '/a'],
    ['with the same value', '{"a":1,"a":1}', '/a'],
    ['not next to the first', '{"a":1,"b":2,"a":3}', '/a'],
    ['in escapes', '{"a":1,"\\u0061":2}', '/a'],
    ['in escapes first', '{"\\u0061":1,"a":2}', '/a'],
    ['in escapes of either case', '{"\\u00e9":1,"\\u00E9":2}', '/é'],
    ['in another escape of the same character', '{"/":1,"\\/":2}', '/~1'],
    ['as a pair of escapes', '{"\\ud83c\\udf50":1,"🍐":2}', '/🍐'],
    ['that is empty', '{"":1,"":2}', '/'],
    ['that objects are made with', '{"__proto__":1,"__proto__":2}', '/__proto__'],
    ['that objects inherit', '{"toString":1,"toString":2}', '/toString'],
    ['that looks like an index', '{"0":1,"0":2}', '/0'],
    ['below', '[{"pear":{"a":1,"a":2}}]', '/0/pear/a'],
  ] as const)('%s', ([, text, pointer]) => {
    expect(faultOf(text)).toEqual({ code: 'json-strict', pointer })
  })

  test('whatever the name, however it is spelt', () => {
    const name = fc.string({ unit: 'binary', minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(name, fc.boolean(), (one, spelt) => {
        const escapes = [...Array(one.length).keys()].map((i) => escapeOf(one.charAt(i))).join('')
        const twin = spelt ? `"${escapes}"` : JSON.stringify(one)
        expect(faultOf(`{${JSON.stringify(one)}:1,"b c d e f g":2,${twin}:3}`).code).toBe('json-strict')
      }),
    )
  })

  test('but the same name in two objects, or another case or normal form of it, is none', () => {
    expect(parseStrict('[{"a":1},{"a":{"a":2}}]')).toEqual([{ a: 1 }, { a: { a: 2 } }])
    expect(Object.keys(parseStrict('{"a":1,"A":2,"é":3,"e\\u0301":4}') as object)).toHaveLength(4)
  })
})

describe('a lone surrogate is refused', () => {
  test.for([
    ['as an escape', '"\\ud800"', ''],
    ['as it stands', '"\ud800"', ''],
    ['the low half', '["\\udc00"]', '/0'],
    ['two high halves', '"\\ud800\\ud800"', ''],
    ['the halves the wrong way round', '"\\udc00\\ud800"', ''],
    ['parted by a character', '"\\ud83d \\ude00"', ''],
    ['after a pair', '"\\ud83d\\ude00\\ud83d"', ''],
    ['in a name', '{"\\ud800":1}', ''],
    ['below', '{"pear":["\\ud800"]}', '/pear/0'],
  ] as const)('%s', ([, text, pointer]) => {
    expect(faultOf(text)).toEqual({ code: 'json-strict', pointer })
  })

  test('but a pair is none, whichever half is escaped', () => {
    for (const text of ['"\\ud83d\\ude00"', '"😀"', '"\ud83d\\ude00"', '"\\ud83d\ude00"'])
      expect(parseStrict(text)).toBe('😀')
  })
})

describe('a number that readers round differently is refused', () => {
  test.for([
    '9007199254740992',
    '-9007199254740992',
    '9007199254740993',
    '9007199254740993.0',
    '9007199254740992e0',
    '1e16',
    '123456789012345678901234567890',
    '1e308',
    '1e309',
    '-1e400',
  ])('%s', (text) => {
    expect(faultOf(text)).toEqual({ code: 'json-strict', pointer: '' })
    expect(faultOf(`{"pears":[0,${text}]}`)).toEqual({ code: 'json-strict', pointer: '/pears/1' })
  })

  test('but the largest safe integers are read', () => {
    expect(parseStrict('[9007199254740991,-9007199254740991,9007199254740991.0,0.1,1e-7]')).toEqual([
      Number.MAX_SAFE_INTEGER,
      -Number.MAX_SAFE_INTEGER,
      Number.MAX_SAFE_INTEGER,
      0.1,
      1e-7,
    ])
  })

  test('every integer is read exactly or refused', () => {
    fc.assert(
      fc.property(fc.bigInt(-(2n ** 60n), 2n ** 60n), (n) => {
        const { code } = faultOf(String(n))
        if (code === 'accepted') expect(BigInt(parseStrict(String(n)) as number)).toBe(n)
        else expect([code, Number.isSafeInteger(Number(n))]).toEqual(['json-strict', false])
      }),
    )
  })
})

describe('a document beyond the limits is refused', () => {
  const nested = (n: number): string => '['.repeat(n) + ']'.repeat(n)
  const mixed = (n: number): string => '{"a":['.repeat(n) + ']}'.repeat(n)
  const members = (n: number): string => `{${[...Array(n).keys()].map((i) => `"${i}":0`).join(',')}}`
  const items = (n: number): string => `[${Array(n).fill('0').join(',')}]`
  const long = (n: number): string => `"${'a'.repeat(n)}"`

  test.for<[string, string, string]>([
    ['8 levels', nested(8), 'accepted'],
    ['9 levels', nested(9), 'json-limit'],
    ['8 levels of both kinds', mixed(4), 'accepted'],
    ['10 levels of both kinds', mixed(5), 'json-limit'],
    ['64 members', members(64), 'accepted'],
    ['65 members', members(65), 'json-limit'],
    ['1,000 items', items(1_000), 'accepted'],
    ['1,001 items', items(1_001), 'json-limit'],
    ['4,096 characters', long(4_096), 'accepted'],
    ['4,097 characters', long(4_097), 'json-limit'],
    ['4,096 characters in escapes', `"${'\\u0061'.repeat(4_096)}"`, 'accepted'],
    ['4,097 characters in escapes', `"${'\\u0061'.repeat(4_097)}"`, 'json-limit'],
    ['a name of 4,096 characters', `{${long(4_096)}:0}`, 'accepted'],
    ['a name of 4,097 characters', `{${long(4_097)}:0}`, 'json-limit'],
  ])('%s: %s', ([, text, code]) => {
    expect(faultOf(text).code).toBe(code)
  })

  test('the limits are those that are given', () => {
    const limits = { depth: 2, members: 1, string: 3, array: 2 }
    expect(parseStrict('{"abc":["abc",1]}', limits)).toEqual({ abc: ['abc', 1] })
    expect(faultOf('{"a":[[]]}', limits)).toEqual({ code: 'json-limit', pointer: '/a/0' })
    expect(faultOf('{"a":1,"b":2}', limits)).toEqual({ code: 'json-limit', pointer: '' })
    expect(faultOf('["abcd"]', limits)).toEqual({ code: 'json-limit', pointer: '/0' })
    expect(faultOf('{"a":[1,2,3]}', limits)).toEqual({ code: 'json-limit', pointer: '/a' })
  })

  test('a million open brackets are refused at the ninth', () => {
    expect(faultOf('['.repeat(1_000_000)).code).toBe('json-limit')
    expect(faultOf('{"a":'.repeat(1_000_000)).code).toBe('json-limit')
  })
})

describe('bytes that are no UTF-8 are refused', () => {
  test.for([
    ['a stray byte', '22ff22'],
    ['a continuation alone', '228022'],
    ['a character cut short', '22c322'],
    ['an overlong slash', '22c0af22'],
    ['an overlong NUL', '22c08022'],
    ['a surrogate', '22eda08022'],
    ['a pair of surrogates (CESU-8)', '22eda0bdedb88022'],
    ['a character beyond Unicode', '22f490808022'],
    ['a character cut at the end of the text', '7b7dc3'],
    ['UTF-16', 'fffe7b007d00'],
  ] as const)('%s, and the next are read as if there had been none', ([, hex]) => {
    expect(faultOf(Buffer.from(hex, 'hex')).code).toBe('json-strict')
    expect(parseStrict(Buffer.from('"fig é"'))).toBe('fig é')
  })

  test('a byte order mark is no white space', () => {
    expect(faultOf(Buffer.from('efbbbf7b7d', 'hex')).code).toBe('invalid-json')
    expect(parseStrict(Buffer.from('22efbbbf22', 'hex'))).toBe('\ufeff')
  })
})

test('a name of JavaScript is a member like any other', () => {
  const value = parseStrict('{"__proto__":{"sweet":true},"constructor":1,"hasOwnProperty":2}') as Record<
    string,
    unknown
  >
  expect(Object.keys(value)).toEqual(['__proto__', 'constructor', 'hasOwnProperty'])
  expect([value['sweet'], ({} as Record<string, unknown>)['sweet']]).toEqual([undefined, undefined])
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
})

test('the place of a fault is an RFC 6901 pointer', () => {
  expect(faultOf('{"a/b":[0,{"c~d":1e99}]}').pointer).toBe('/a~1b/1/c~0d')
  expect(faultOf('{"~1":1e99}').pointer).toBe('/~01')
  expect(faultOf('{"":{"":1e99}}').pointer).toBe('//')
})

test.for(['canary@example.org', 'https://canary.example', '+1 202 555 0143', '2025550143', 'canary '.repeat(9)])(
  'a name that could be an identifier has no place in the pointer: %j',
  (name) => {
    expect(faultOf(`{"pear":{${JSON.stringify(name)}:[1e99]}}`).pointer).toBe('/pear/?/0')
    expect(faultOf(`{${JSON.stringify(name)}:1,${JSON.stringify(name)}:1}`).pointer).toBe('/?')
  },
)

test('a refusal never quotes a value', () => {
  const canary = 'canary@example.org'
  const faults = [
    `["${canary}\\ud800"]`,
    `["${canary}`,
    `["${canary}\\x"]`,
    `["${canary}" 1]`,
    `{"a":"${canary}","a":1}`,
  ]
  for (const text of [...faults, `"${canary.repeat(300)}"`, '[12345678901234567890]']) {
    try {
      parseStrict(text)
      expect.unreachable()
    } catch (error) {
      const { message, detail, errors, extra } = error as Refusal
      expect(JSON.stringify([message, detail, errors, extra])).not.toMatch(/canary|12345/)
    }
  }
})
