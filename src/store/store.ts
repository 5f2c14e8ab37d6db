import { chmodSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { migrations } from './migrations.ts'
import { explainSqliteError, unusableState } from './sqlite-error.ts'

/** JSON documents by kind and key, and lists that grow at their end; durable once a call returns. It knows no types. */
export interface Store {
  readonly file: string
  get(kind: string, key: string): unknown
  put(kind: string, key: string, value: unknown): void
  /** In the order of their keys. */
  list(kind: string): { readonly key: string; readonly value: unknown }[]
  /** False when there was none. */
  delete(kind: string, key: string): boolean
  /** The list keeps its last `keep` values. */
  append(list: string, value: unknown, keep: number): void
  /** Removes all of it. */
  clear(list: string): void
  /** The last `count` values, oldest first. */
  tail(list: string, count: number): unknown[]
  close(): void
}

/**
 * Opens or makes the file and holds it: a second process gets TL_ENGINE_RUNNING until this one closes it or dies. Calls
 * block for as long as the disk takes (a commit is one fsync), so documents are small and few.
 */
export function openStore(file: string): Store {
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(file)
    // Values of `env` from an env file are in here.
    chmodSync(file, 0o600)
    prepare(database, file)
    return createStore(database, file)
  } catch (error) {
    database?.close()
    throw explainSqliteError(error, file)
  }
}

function prepare(database: DatabaseSync, file: string): void {
  // Exclusive before the first access to the log: the lock is then held until the process ends, and needs no shared memory.
  database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  // The log is folded back from here on and does not grow beyond it.
  database.exec('PRAGMA journal_size_limit = 4194304; BEGIN IMMEDIATE; COMMIT')
  const health = database.prepare('PRAGMA quick_check(1)').get()
  if (health?.['quick_check'] !== 'ok') throw unusableState(file, `damaged (${String(health?.['quick_check'])})`)

  const done = Number(database.prepare('PRAGMA user_version').get()?.['user_version'])
  if (done > migrations.length)
    throw unusableState(file, `written by a newer Towline (version ${done}, this one knows ${migrations.length})`)
  for (const [index, step] of migrations.entries()) {
    if (index >= done) database.exec(`BEGIN; ${step}; PRAGMA user_version = ${index + 1}; COMMIT`)
  }
}

function createStore(database: DatabaseSync, file: string): Store {
  const get = database.prepare('SELECT value FROM document WHERE kind = ? AND key = ?')
  const put = database.prepare(
    'INSERT INTO document VALUES (?, ?, ?) ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value',
  )
  const list = database.prepare('SELECT key, value FROM document WHERE kind = ? ORDER BY key')
  const remove = database.prepare('DELETE FROM document WHERE kind = ? AND key = ?')
  const append = database.prepare('INSERT INTO entry (list, value) VALUES (?, ?)')
  const tail = database.prepare('SELECT value FROM entry WHERE list = ? ORDER BY id DESC LIMIT ?')
  const clear = database.prepare('DELETE FROM entry WHERE list = ?')
  const trim = database.prepare(
    'DELETE FROM entry WHERE list = ?1 AND id <= (SELECT id FROM entry WHERE list = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)',
  )
  const encode = (what: string, value: unknown): string => {
    const text = JSON.stringify(value)
    if (text === undefined) throw new Error(`${what}: ${typeof value} is no JSON value`)
    return text
  }

  const guard = <T>(work: () => T): T => {
    try {
      return work()
    } catch (error) {
      throw explainSqliteError(error, file)
    }
  }
  const parse = (what: string, text: unknown): unknown => {
    try {
      return JSON.parse(String(text))
    } catch (cause) {
      throw unusableState(file, `${what} is not JSON`, cause)
    }
  }

  return {
    file,
    get(kind, key) {
      const row = guard(() => get.get(kind, key))
      return row === undefined ? undefined : parse(`the document ${kind}/${key}`, row['value'])
    },
    put(kind, key, value) {
      const text = encode(`${kind}/${key}`, value)
      guard(() => put.run(kind, key, text))
    },
    list(kind) {
      return guard(() => list.all(kind)).map((row) => {
        const key = String(row['key'])
        return { key, value: parse(`the document ${kind}/${key}`, row['value']) }
      })
    },
    delete: (kind, key) => guard(() => remove.run(kind, key)).changes > 0,
    append(name, value, keep) {
      const text = encode(`the list ${name}`, value)
      guard(() => {
        append.run(name, text)
        trim.run(name, keep)
      })
    },
    clear: (name) => void guard(() => clear.run(name)),
    tail(name, count) {
      return guard(() => tail.all(name, count))
        .map((row) => parse(`an entry of ${name}`, row['value']))
        .toReversed()
    },
    close: () => database.close(),
  }
}
