// Who may call: every request's signature is made once more by the AWS SDK's own signer and compared.
import { createHash, createHmac } from "node:crypto";
import { SignatureV4 } from "@smithy/signature-v4";

const SKEW_MS = 15 * 60 * 1000;
const MUST = ["host", "x-amz-date"];
const accounts = new Map(); // access key -> {secretKey, token, expires}
const signers = new Map();

class Sha256 {
    constructor(key) {
        this.hash = key ? createHmac("sha256", key) : createHash("sha256");
    }
    update(data) {
        this.hash.update(data);
    }
    async digest() {
        return this.hash.digest();
    }
}

// {accessKey, secretKey, token, expires}: expires in epoch ms.
export function allow(account) {
    accounts.set(account.accessKey, account);
    signers.clear();
}

// The date that the request says it was signed at.
function dateOf(headers) {
    const [, y, mo, d, h, mi, s] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(headers["x-amz-date"] ?? "") ?? [];
    return y ? Date.UTC(y, mo - 1, d, h, mi, s) : NaN;
}

function signerOf(accessKey, secretKey, region, service) {
    const name = [accessKey, region, service].join("/");
    if (!signers.has(name))
        signers.set(name, new SignatureV4({
            credentials: { accessKeyId: accessKey, secretAccessKey: secretKey },
            region, service, sha256: Sha256, applyChecksum: false,
        }));
    return signers.get(name);
}

export const accountOf = (request) => /Credential=([^/]+)/.exec(request.headers.authorization)?.[1];

// Signs what was signed, once more; why it is refused, or null.
export async function refusal(request, body) {
    const [, accessKey, , region, service, names] =
        /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([^,]+), ?/.exec(request.headers.authorization ?? "") ?? [];
    const account = accounts.get(accessKey);
    if (!accessKey) return "IncompleteSignature";
    if (!account) return "InvalidClientTokenId";
    if ((request.headers["x-amz-security-token"] ?? "") !== (account.token ?? "")) return "InvalidClientTokenId";
    if (account.expires && Date.now() > account.expires) return "ExpiredToken";
    const date = dateOf(request.headers);
    if (!(Math.abs(date - Date.now()) < SKEW_MS)) return "SignatureDoesNotMatch";
    const signedNames = names.split(";");
    if (MUST.some((must) => !signedNames.includes(must))) return "IncompleteSignature";
    const headers = Object.fromEntries(signedNames.map((name) => [name, request.headers[name]]));
    const signed = await signerOf(accessKey, account.secretKey, region, service).sign(
        { method: request.method, protocol: "http:", hostname: "x", path: request.url, query: {}, headers, body },
        { signingDate: new Date(date) });
    const signature = (text) => /Signature=([0-9a-f]{64})$/.exec(text)?.[1];
    return signature(signed.headers.authorization) === signature(request.headers.authorization) ? null : "SignatureDoesNotMatch";
}
