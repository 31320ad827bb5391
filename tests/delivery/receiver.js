// A receiver as StatusPageOne's page "Webhooks Integration" has it. Express and its JSON parser are
// left out: `req.body` is what the parser would make of the body.
const http = require('http');
const crypto = require('crypto');

const [port, secret] = process.argv.slice(2);

function validateWebhook(payload, signature, secret) {
  const expectedSignature = crypto
    .createHmac('sha256', secret)
    .update(payload)
    .digest('hex');
  return signature === `sha256=${expectedSignature}`;
}

function webhook(req, answer) {
  const signature = req.headers['x-statuspageone-signature'];
  const payload = JSON.stringify(req.body);
  if (!validateWebhook(payload, signature, secret)) {
    return answer(401, { error: 'Invalid signature' });
  }
  const { event_type, monitor, check_result, context } = req.body;
  const handled = check_result.status === 'DOWN' ? 'incident' : 'recovery';
  answer(200, { received: true, event_type, name: monitor.name, handled, context });
}

http
  .createServer((req, res) => {
    const parts = [];
    const answer = (status, body) => {
      res.writeHead(status, { 'Content-Type': 'application/json' });
      res.end(typeof body === 'string' ? body : JSON.stringify(body));
    };
    req.on('data', (part) => parts.push(part));
    req.on('end', () => {
      if (req.method === 'GET') return answer(200, { ready: true });
      req.body = JSON.parse(Buffer.concat(parts).toString());
      if (req.url === '/stringify') return answer(200, JSON.stringify(req.body));
      webhook(req, answer);
    });
  })
  .listen(Number(port), '127.0.0.1');
