import Crypto
import Foundation
import JWTKit
import Platform
import Store
import TestSupport

/// Keys of an identity provider and tokens signed with them, by hand, so that every part can be wrong.
struct TokenFixture {
    static let secret = [UInt8]("a secret of thirty-two bytes and more".utf8)
    static let now = 1_772_357_400

    let folder: TemporaryDirectory
    let clock = IdentityClock()
    let hmac: any JWTAlgorithm
    let rsa: any JWTAlgorithm
    let ecdsa: any JWTAlgorithm
    let otherECDSA: any JWTAlgorithm
    private let rsaKey: JWTKit.Insecure.RSA.PrivateKey
    private let ecdsaKey = ES256PrivateKey()
    private let otherKey = ES256PrivateKey()

    init() async throws {
        folder = try TemporaryDirectory("tokens")
        rsaKey = try JWTKit.Insecure.RSA.PrivateKey(pem: Self.pem)
        hmac = try await JWTKeyCollection().add(hmac: HMACKey(from: Self.secret), digestAlgorithm: .sha256).getKey()
        rsa = try await JWTKeyCollection().add(rsa: rsaKey, digestAlgorithm: .sha256).getKey()
        ecdsa = try await JWTKeyCollection().add(ecdsa: ecdsaKey).getKey()
        otherECDSA = try await JWTKeyCollection().add(ecdsa: otherKey).getKey()
    }

    var path: String { folder.file("jwks.json").path }

    /// The public part of the RSA key, in a form that somebody may take for a secret.
    var rsaPEM: String { rsaKey.publicKey.pemRepresentation }

    func rsaEntry(kid: String? = "r1", more: String = "") throws -> String {
        let (modulus, exponent) = try rsaKey.publicKey.getKeyPrimitives()
        return
            #"{"kty":"RSA","n":"\#(Base64URL.text(of: Array(modulus)))","e":"\#(Base64URL.text(of: Array(exponent)))""#
            + (kid.map { #","kid":"\#($0)""# } ?? "") + more + "}"
    }

    func ecdsaEntry(kid: String? = "e1", other: Bool = false, more: String = "") throws -> String {
        let parameters = (other ? otherKey : ecdsaKey).publicKey.parameters
        func url(_ text: String?) -> String { Base64URL.text(of: Array(Data(base64Encoded: text ?? "") ?? Data())) }
        return #"{"kty":"EC","crv":"P-256","x":"\#(url(parameters?.x))","y":"\#(url(parameters?.y))""#
            + (kid.map { #","kid":"\#($0)""# } ?? "") + more + "}"
    }

    @discardableResult
    func write(_ entries: String...) throws -> String {
        try folder.write(#"{"keys":[\#(entries.joined(separator: ","))]}"#, to: "jwks.json")
        return path
    }

    /// A verifier of the file, which must be there, and of the secret.
    func verifier(_ change: (inout TokenPolicy) -> Void = { _ in }) async throws -> TokenVerifier {
        var policy = TokenPolicy()
        policy.secret = Self.secret
        policy.keySetFile = path
        change(&policy)
        return try await TokenVerifier(policy, clock: clock.read)
    }

    static func token(_ header: String, _ payload: String, by signer: (any JWTAlgorithm)?) throws -> String {
        let signed = Base64URL.text(of: Array(header.utf8)) + "." + Base64URL.text(of: Array(payload.utf8))
        return signed + "." + Base64URL.text(of: try signer?.sign(Array(signed.utf8)) ?? [])
    }

    /// A good token of HS256 but for what is given.
    func token(
        header: String = #"{"alg":"HS256","typ":"JWT"}"#, sub: String? = #""ada""#, exp: String? = "1772361000",
        more: String = "", by signer: (any JWTAlgorithm)? = nil
    ) throws -> String {
        let claims = [sub.map { #""sub":\#($0)"# }, exp.map { #""exp":\#($0)"# }, more.isEmpty ? nil : more]
        return try Self.token(header, "{" + claims.compactMap(\.self).joined(separator: ",") + "}", by: signer ?? hmac)
    }

    /// Made for these tests; it opens nothing.
    private static let pem = """
        -----BEGIN RSA PRIVATE KEY-----
        MIIEogIBAAKCAQEAxYYaBS2ybDLUb9dCPwauu2c5Y5yQePILZOh73/TbRQbJCQq3
        B3683ufXCVrjsp0S3QUxFP9JX3IpkbcVg9JsAyavJGUs+R76yCsN3TPFkSbL8Q/S
        SPXmP/mAZAVd6no4vQcjJE1ESm7x80JoQlEt35PQ36VJOWq6BKq7HV1RGnD8mH56
        N0xPq+dOD8JCxtwbLdI+V31wmBPzI11294wkI33ZkxGMXfo9WlU+Fi9Qdm3whF1H
        3SeSJOSoIGd42kVsyJOi4JLeSz4qcyo/j1wKr9c8SEiV0YoDhvkuhurMrvxrIttO
        1tf46lfRAtZkSvVG1KI/B9WzI0VqZ+n/dAKE5QIDAQABAoIBABmgC2WjF0vqrz1A
        Nae0D/yfiGY4JFUQf7JsZ8+29jBnEDM0WOjnxAx+Ettzl2kvcAhM+WBiOyxfBO4S
        zL+Aj8M75EpqNtKt9nZ8AW0yX330hM5GEW+mOSQRFBtFx/iYuR4q3CAERykJ6ik3
        MwvxeKxSAq3VBWIlyrK6zJIjbldp2TtQW5vWUBo+g+lhsistBEClH7iOyNgwkYsK
        F2AvkoUVDqNbpAepwdv3qNNOLgohoh5fpGzqu5WgR2T6E6mwU6hBzzei4NR5L2Xm
        GNtMjHzkIZf510ojG6PLLfvG6nZwz16Q3EjNM3yyRBF0AwkHHFNZj4L5chU/SucA
        h/mj5dkCgYEA5bBJF2d0dFSWtSgki6Xj6c0jzKPQJdwuvwuUYqpeS+uKkyWXtH17
        +gfsqaFLB89ObgODQsjyaqeiLEll1ydQ/Ce+3gMSNXj5YAmgqDFl+OP9ItPp/5wf
        I6GDuHCxIgEpGIPsCeuy8eF2JmgrihVZQRndKQ30Lx1DTpuTRhsWdikCgYEA3CaS
        DQQZ1DQPdTSO4JYNjOI1njiYjoycVq2bb4Kpt5cOkgcvWvUxR4XhZMlZZmoV56Bg
        St8TCEzHmwStFFdWxIqYnFL+xG+4Ix7QG6RYbd+diMY7bPtNJeOkg6zUUV7Y3HGw
        HHQqrABM12SrudUxol5rXPlB5xA94whXge7P2F0CgYArsJaWnxUls5lfKB2bepiZ
        tm2i1V4YdYNmz5sQEXwSUOFxD+uFZ4EXlD5OHeIZwDMY9g4XvAVwiCZu6h83B8F9
        1UmXDVp/VV2KCQrIM21EJInYABs4hcfejTBy+uyWnUXl5eIWGQFWxR4mPBZcE6eA
        nJzW3FKgS56r6yfeY/Sn0QKBgBC1ZLRUMVmnsdylZoqpGNIugP9HMFzxUxRJDNkD
        w7nJXzO6E+AFZ/4TrS2nEn/xYUQ5KdXE5H7mxOeBDVnT3yP/mOGUcv2ZtRIFTqoq
        aQO9ywkMcoos8IgFpQDRZzPdzPu+LS2bq3ludGaMn3P1OFUocWGXEWdmFixa/7k+
        1MuJAoGAWEuYWtaLNBI9XRZrpiMYcpHjMFuRRmWhD6ThQQqKPVjEVIU8CcY8Ipn5
        8kitm8Z/DADd6AksiMWj7KGJcB04SEi8Sk7b+TpbdjDSD8ihUfUNB+CBqM2Eg8jM
        7MvLtZeKzEl4tX4aev7sKtqfKU+9XLcUMC71IkbVtNMup0LD2KQ=
        -----END RSA PRIVATE KEY-----
        """
}
