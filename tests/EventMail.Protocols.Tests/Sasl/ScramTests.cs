using System.Security.Cryptography;
using System.Text;
using EventMail.Domain.Accounts;
using EventMail.Protocols.Sasl;
using FsCheck;
using FsCheck.Fluent;

namespace EventMail.Protocols.Tests.Sasl;

/// <summary>The server's side of SCRAM: the examples of RFC 7677 §3 and RFC 5802 §5, and what must not pass.</summary>
public sealed class ScramTests
{
    private const string ClientFirst = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
    private const string ServerNonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    private const string ServerFirst = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
    private const string ClientFinal =
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";

    private static readonly ScramKeys Keys = ScramClient.KeysOf("pencil", Convert.FromBase64String("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096);

    [Fact]
    public void The_example_of_RFC_7677_passes()
    {
        ScramServer.TryReadFirst(Encoding.UTF8.GetBytes(ClientFirst), out var first).ShouldBeTrue();
        first.User.ShouldBe("user");
        first.Binding.ShouldBe('n');
        ScramServer.ServerFirst(first, ServerNonce, Keys).ShouldBe(ServerFirst);

        ScramServer.TryReadFinal(Encoding.UTF8.GetBytes(ClientFinal), first.Nonce + ServerNonce, out var withoutProof, out var binding, out var proof)
            .ShouldBeTrue();
        Encoding.ASCII.GetString(binding!).ShouldBe("n,,");
        var authMessage = $"{first.Bare},{ServerFirst},{withoutProof}";
        ScramServer.IsRight(Keys, authMessage, proof!).ShouldBeTrue();
        ScramServer.ServerFinal(Keys, authMessage).ShouldBe("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    }

    [Fact]
    public void The_example_of_RFC_5802_passes()
    {
        var keys = ScramClient.KeysOf("pencil", Convert.FromBase64String("QSXCR+Q6sek8bf92"), 4096, HashAlgorithmName.SHA1);
        ScramServer.TryReadFirst("n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL"u8, out var first).ShouldBeTrue();
        const string serverNonce = "3rfcNHYJY1ZVvWVs7j";
        var serverFirst = ScramServer.ServerFirst(first, serverNonce, keys);
        serverFirst.ShouldBe("r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096");
        ScramServer.TryReadFinal(
            "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="u8, first.Nonce + serverNonce,
            out var withoutProof, out _, out var proof).ShouldBeTrue();
        var authMessage = $"{first.Bare},{serverFirst},{withoutProof}";
        ScramServer.IsRight(keys, authMessage, proof!).ShouldBeTrue();
        ScramServer.ServerFinal(keys, authMessage).ShouldBe("v=rmF9pqV8S7suAoZWja4dJRkFsKQ=");

        // A proof of the other hash's length is no proof.
        ScramServer.IsRight(Keys, authMessage, proof!).ShouldBeFalse();
    }

    [Fact]
    public void Another_proof_or_another_dialogue_does_not_pass()
    {
        ScramServer.TryReadFirst(Encoding.UTF8.GetBytes(ClientFirst), out var first).ShouldBeTrue();
        ScramServer.TryReadFinal(Encoding.UTF8.GetBytes(ClientFinal), first.Nonce + ServerNonce, out var withoutProof, out _, out var proof).ShouldBeTrue();
        var authMessage = $"{first.Bare},{ServerFirst},{withoutProof}";
        for (var bit = 0; bit < proof!.Length * 8; bit++)
        {
            byte[] altered = [.. proof];
            altered[bit / 8] ^= (byte)(1 << (bit % 8));
            ScramServer.IsRight(Keys, authMessage, altered).ShouldBeFalse();
        }

        ScramServer.IsRight(Keys, authMessage + ",x=y", proof).ShouldBeFalse();
        ScramServer.IsRight(ScramClient.KeysOf("pencils", Keys.Salt, 4096), authMessage, proof).ShouldBeFalse();
    }

    [Theory]
    [InlineData("n,,n=user,r=abc", true)]
    [InlineData("y,,n=user,r=abc", true)]
    [InlineData("p=tls-server-end-point,,n=user,r=abc", true)]
    [InlineData("n,a=other,n=user,r=abc", true)]
    [InlineData("n,,n=us=2Ce=3Dr,r=abc", true)]
    [InlineData("n,,n=user,r=abc,ext=1", true)]
    [InlineData("", false)]
    [InlineData("n,,n=user", false)]
    [InlineData("n,,n=,r=abc", false)]
    [InlineData("n,,n=user,r=", false)]
    [InlineData("n,,n=us=er,r=abc", false)]
    [InlineData("n,,m=ext,n=user,r=abc", false)]
    [InlineData("x,,n=user,r=abc", false)]
    [InlineData("p=,,n=user,r=abc", false)]
    [InlineData("n,b=other,n=user,r=abc", false)]
    [InlineData("n,,n=user,r=a\u007Fc", false)]
    public void A_first_message_is_read_by_its_grammar(string message, bool valid) =>
        ScramServer.TryReadFirst(Encoding.UTF8.GetBytes(message), out _).ShouldBe(valid);

    [Theory]
    [InlineData("c=biws,r=abc,p=AAAA", "a proof that is too short")]
    [InlineData("c=biws,r=abd,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", "another nonce")]
    [InlineData("c=biw,r=abc,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", "a binding that is not base64")]
    [InlineData("r=abc,c=biws,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", "another order")]
    [InlineData("c=biws,r=abc", "no proof")]
    [InlineData("", "nothing")]
    public void A_final_message_is_read_by_its_grammar(string message, string why) =>
        ScramServer.TryReadFinal(Encoding.UTF8.GetBytes(message), "abc", out _, out _, out _).ShouldBeFalse(why);

    [Fact]
    public void Rubbish_is_refused_without_a_fault() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(2000),
        Prop.ForAll<byte[]>(bytes =>
        {
            _ = ScramServer.TryReadFirst(bytes, out _);
            _ = ScramServer.TryReadFinal(bytes, "nonce", out _, out _, out _);
            byte[] mutated = Encoding.UTF8.GetBytes(ClientFinal);
            for (var i = 0; i < bytes.Length; i++)
            {
                mutated[(i * 31 + bytes[i]) % mutated.Length] ^= bytes[i];
            }

            _ = ScramServer.TryReadFinal(mutated, "nonce", out _, out _, out _);
        }));

    [Fact]
    public void The_example_of_RFC_2195_passes() =>
        CramMd5Exchange.IsRight(
            "b913a602c7eda7a495b4e6e7334d3890"u8, "tanstaaftanstaaf"u8, "<1896.697170952@postoffice.reston.mci.net>"u8).ShouldBeTrue();

    [Fact]
    public void The_example_of_RFC_1939_passes()
    {
        Apop.IsRight("c4c9334bac560ecc979e58001b3e22fb", "<1896.697170952@dbc.mtview.ca.us>", "tanstaaf"u8).ShouldBeTrue();
        Apop.IsRight("c4c9334bac560ecc979e58001b3e22fb", "<1896.697170953@dbc.mtview.ca.us>", "tanstaaf"u8).ShouldBeFalse();
    }

    [Fact]
    public void No_timestamp_comes_twice() => Enumerable.Range(0, 1000).Select(_ => Apop.Timestamp("host")).Distinct().Count().ShouldBe(1000);
}

/// <summary>The client's side of SCRAM, for tests.</summary>
internal static class ScramClient
{
    public static ScramKeys KeysOf(string password, byte[] salt, int iterations) => KeysOf(password, salt, iterations, HashAlgorithmName.SHA256);

    public static ScramKeys KeysOf(string password, byte[] salt, int iterations, HashAlgorithmName hash)
    {
        var salted = Salted(password, salt, iterations, hash);
        var client = CryptographicOperations.HmacData(hash, salted, "Client Key"u8);
        return new(
            salt, iterations, CryptographicOperations.HashData(hash, client), CryptographicOperations.HmacData(hash, salted, "Server Key"u8));
    }

    private static byte[] Salted(string password, byte[] salt, int iterations, HashAlgorithmName hash) =>
        Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(password), salt, iterations, hash, hash == HashAlgorithmName.SHA1 ? 20 : 32);

    /// <summary>The client's final message, and what the server must answer.</summary>
    public static (string Final, string Verifier) Answer(string password, string clientFirstBare, string serverFirst, string bindingBase64, HashAlgorithmName hash)
    {
        var fields = serverFirst.Split(',');
        var (nonce, salt, iterations) = (fields[0][2..], Convert.FromBase64String(fields[1][2..]), int.Parse(fields[2][2..], System.Globalization.CultureInfo.InvariantCulture));
        var salted = Salted(password, salt, iterations, hash);
        var clientKey = CryptographicOperations.HmacData(hash, salted, "Client Key"u8);
        var withoutProof = $"c={bindingBase64},r={nonce}";
        var authMessage = Encoding.UTF8.GetBytes($"{clientFirstBare},{serverFirst},{withoutProof}");
        var signature = CryptographicOperations.HmacData(hash, CryptographicOperations.HashData(hash, clientKey), authMessage);
        var proof = clientKey.Zip(signature, (a, b) => (byte)(a ^ b)).ToArray();
        var verifier = CryptographicOperations.HmacData(hash, CryptographicOperations.HmacData(hash, salted, "Server Key"u8), authMessage);
        return ($"{withoutProof},p={Convert.ToBase64String(proof)}", $"v={Convert.ToBase64String(verifier)}");
    }
}
