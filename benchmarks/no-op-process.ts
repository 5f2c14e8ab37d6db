/** A replica that does nothing: reads a request, answers a few bytes. As cheap as it gets, so that what stands before it shows. */
import { type AddressInfo, createServer } from 'node:net'

const body = '{"model_name":"none","outputs":[]}'
const answer = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`
const server = createServer({ noDelay: true }, (socket) => {
  let head = ''
  let missingBytes = 0
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk: Buffer) => {
    let rest = chunk
    while (rest.length > 0) {
      if (missingBytes === 0) {
        head += rest.toString('latin1')
        const end = head.indexOf('\r\n\r\n')
        if (end === -1) return
        const after = Buffer.byteLength(head, 'latin1') - end - 4
        missingBytes = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0)
        head = ''
        rest = rest.subarray(rest.length - after)
        if (missingBytes === 0) socket.write(answer)
        continue
      }
      const taken = Math.min(missingBytes, rest.length)
      missingBytes -= taken
      rest = rest.subarray(taken)
      if (missingBytes === 0) socket.write(answer)
    }
  })
})
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
process.on('disconnect', () => process.exit(0))
