using EventMail.Domain.Metadata;
using Microsoft.Extensions.Logging;

namespace EventMail.Host.Configuration;

public sealed record TlsSettings
{
    /// <summary>A PEM file with the certificate and its chain; a self-signed one is made when empty. Read again when it changes.</summary>
    public string Certificate { get; init; } = "";

    /// <summary>The PEM file with its private key; may be the same file.</summary>
    public string Key { get; init; } = "";

    /// <summary>Other certificates by the name that the client asks for (SNI); `*.example.org` stands for one label.</summary>
    public IReadOnlyDictionary<string, CertificateFiles> Hosts { get; init; } = new Dictionary<string, CertificateFiles>();
}

public sealed record CertificateFiles
{
    public string Certificate { get; init; } = "";
    public string Key { get; init; } = "";
}

public sealed record AuthSettings
{
    /// <summary>Lets clients on this machine send passwords without TLS.</summary>
    public bool AllowPlaintextOnLoopback { get; init; }

    public Argon2Settings Argon2 { get; init; } = new();

    /// <summary>How many passwords are hashed at once; 0: as many as there are processors.</summary>
    [Range(0, 1024)]
    public int MaxConcurrentHashes { get; init; }

    /// <summary>How long a verified password is remembered, in memory only.</summary>
    public TimeSpan CacheFor { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long at most, however often it is used.</summary>
    public TimeSpan CacheAtMost { get; init; } = TimeSpan.FromHours(1);

    /// <summary>PBKDF2 rounds of the keys that SCRAM needs, made when a password is set; 0: no SCRAM. Clients on Cyrus SASL (mbsync) refuse more than 65536.</summary>
    [Range(0, 10_000_000)]
    public int ScramIterations { get; init; } = 65_536;

    /// <summary>Offers SCRAM-SHA-1 beside SCRAM-SHA-256, for clients that know no other; an older account's keys are made at its next login with the password.</summary>
    public bool ScramSha1 { get; init; } = true;

    public OAuthSettings OAuth { get; init; } = new();
}

/// <summary>Access tokens (JWT) instead of passwords: OAUTHBEARER and XOAUTH2. Offered when Issuer, Audience and Keys are set.</summary>
public sealed record OAuthSettings
{
    /// <summary>Who makes the tokens: their claim iss, letter by letter.</summary>
    public string Issuer { get; init; } = "";

    /// <summary>Whom they are for: what their claim aud must hold.</summary>
    public string Audience { get; init; } = "";

    /// <summary>The issuer's public keys (JWKS): a file, or a URL of https (of http on this machine).</summary>
    public string Keys { get; init; } = "";

    /// <summary>The claim that holds the account's address. Where it is email, a false email_verified refuses the token.</summary>
    public string AddressClaim { get; init; } = "email";

    /// <summary>A scope that tokens must have; clients are told it. Empty for none.</summary>
    public string Scope { get; init; } = "";

    /// <summary>Takes tokens of type JWT, or of none, too: for issuers that do not mark access tokens as at+jwt (RFC 9068).</summary>
    public bool AcceptUnmarked { get; init; }

    /// <summary>Told to clients whose token is refused; the issuer's .well-known/openid-configuration when empty.</summary>
    public string OpenIdConfiguration { get; init; } = "";

    /// <summary>How far the issuer's clock may be from ours.</summary>
    public TimeSpan ClockSkew { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How often the keys are read again; also when a token names one that is not known, once a minute at most.</summary>
    public TimeSpan RefreshEvery { get; init; } = TimeSpan.FromHours(1);
}

/// <summary>Argon2id (RFC 9106). Changed values hold for passwords set from then on.</summary>
public sealed record Argon2Settings
{
    /// <summary>t: passes over the memory.</summary>
    [Range(1, 100)]
    public int Iterations { get; init; } = 3;

    [Bytes, Range(8 * 1024)]
    public long Memory { get; init; } = 64L << 20;

    /// <summary>p: lanes.</summary>
    [Range(1, 64)]
    public int Parallelism { get; init; } = 4;
}

/// <summary>Against guessing and flooding; IPv6 addresses count by their /64.</summary>
public sealed record ThrottleSettings
{
    public bool Enabled { get; init; } = true;

    /// <summary>The window in which failed logins are counted.</summary>
    public TimeSpan FailureWindow { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>More failed logins than this from one address in a window lock it out and are alerted.</summary>
    [Range(1)]
    public int MaxFailuresPerAddress { get; init; } = 10;

    /// <summary>More failed logins than this for one account lock it, except for places that it was logged in to from.</summary>
    [Range(1)]
    public int MaxFailuresPerAccount { get; init; } = 10;

    public TimeSpan AccountFailureWindow { get; init; } = TimeSpan.FromMinutes(15);

    public TimeSpan LockOut { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>Failed logins within the window that are answered at once; each one more doubles the wait for the answer.</summary>
    [Range(0)]
    public int FreeFailures { get; init; } = 3;

    public TimeSpan FirstDelay { get; init; } = TimeSpan.FromSeconds(1);

    public TimeSpan MaxDelay { get; init; } = TimeSpan.FromSeconds(8);

    /// <summary>Past the limit, a place that the account was logged in to from gets one attempt in this time instead of a lock-out.</summary>
    public TimeSpan KnownPlacePace { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>An attempt that would wait longer than this for its turn is turned away.</summary>
    public TimeSpan KnownPlaceWait { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>For how long after the last login from it a place is known.</summary>
    public TimeSpan KnownPlaceFor { get; init; } = TimeSpan.FromDays(90);

    /// <summary>Commands that the connections of one address may send in a minute before they are logged in; 0 for no limit.</summary>
    [Range(0)]
    public int CommandsPerMinutePerAddress { get; init; } = 60_000;

    /// <summary>Commands that the connections of one account may send in a minute; 0 for no limit.</summary>
    [Range(0)]
    public int CommandsPerMinutePerUser { get; init; } = 60_000;

    /// <summary>Commands from this machine are not counted.</summary>
    public bool ExemptLoopback { get; init; } = true;
}

public sealed record QuotaSettings
{
    /// <summary>What a new account may keep.</summary>
    [Bytes, Range(0)]
    public long Default { get; init; } = 1L << 30;

    /// <summary>How much each account may annotate (IMAP METADATA), names and values together.</summary>
    [Bytes, Range(0)]
    public long Annotations { get; init; } = MetadataLimits.DefaultTotal;

    /// <summary>How often all accounts' totals are computed anew from the log and compared; 0s: never.</summary>
    public TimeSpan VerifyEvery { get; init; } = TimeSpan.FromDays(1);
}

/// <summary>The index of message texts for SEARCH BODY and TEXT.</summary>
public sealed record SearchSettings
{
    /// <summary>Without it every message is read, and none is indexed.</summary>
    public bool Index { get; init; } = true;

    /// <summary>Characters of one message's text that are indexed; what is behind them is found by reading the message.</summary>
    [Range(1024, 100_000_000)]
    public int MaxTextLength { get; init; } = 1 << 20;

    /// <summary>From this many new messages in a second, indexing gives way to them.</summary>
    [Range(1)]
    public int BusyMessagesPerSecond { get; init; } = 50;

    /// <summary>The percentage of its time that indexing works meanwhile.</summary>
    [Range(1, 100)]
    public int BusyShare { get; init; } = 5;

    /// <summary>How often the log tells how far a long catch-up is.</summary>
    public TimeSpan ProgressInterval { get; init; } = TimeSpan.FromSeconds(30);
}

public sealed record ContentSettings
{
    /// <summary>Messages of more bytes are files, smaller ones are in PostgreSQL. The default is where files begin to cost less.</summary>
    [Bytes, Range(0, 1 << 30)]
    public long FileThreshold { get; init; } = 64L << 10;

    /// <summary>Where the files are; `content` in the data folder when empty. Hosts that share a database share this folder.</summary>
    public string Folder { get; init; } = "";
}

public sealed record DatabaseSettings
{
    /// <summary>A PostgreSQL of your own, as Npgsql or as libpq write it; an embedded one is run when empty.</summary>
    [Secret]
    public string ConnectionString { get; init; } = "";

    /// <summary>The folder with PostgreSQL's programs; found by itself when empty.</summary>
    public string BinPath { get; init; } = "";

    /// <summary>The account that the embedded PostgreSQL runs as when the server is root; `postgres`, else `nobody`, when empty.</summary>
    public string RunAs { get; init; } = "";

    /// <summary>A loopback port for the embedded PostgreSQL beside its Unix socket; 0 takes any free one.</summary>
    public Port Port { get; init; } = Port.Off;

    /// <summary>Settings of the embedded PostgreSQL that win over ours: `Database:Settings:shared_buffers`.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();
}

public sealed record LogSettings
{
    [OneOf("text", "json")]
    public string Format { get; init; } = "text";

    public LogLevel Level { get; init; } = LogLevel.Information;
}
