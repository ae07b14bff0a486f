import '../../src/kernel/reflect.ts'
import { expect, test } from 'vitest'

interface MetadataApi {
  getMetadata(key: string, target: object): unknown
  getOwnMetadata(key: string, target: object): unknown
  defineMetadata(key: string, value: unknown, target: object): void
}
const api = Reflect as unknown as MetadataApi

class Parent {
  readonly name: string = 'parent'
}
class Child extends Parent {}

test('metadata of a class is seen by its subclasses, but is not their own', () => {
  api.defineMetadata('k', 1, Parent)
  expect([api.getMetadata('k', Child), api.getOwnMetadata('k', Child)]).toEqual([1, undefined])
  api.defineMetadata('k', undefined, Child)
  expect([api.getMetadata('k', Child), api.getOwnMetadata('k', Parent)]).toEqual([undefined, 1])
})

test('the certificate library loads and works', async () => {
  const { Name } = await import('@peculiar/x509')
  expect(new Name([{ CN: ['Root 1'] }]).toString()).toBe('CN=Root 1')
})
