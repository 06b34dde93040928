using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using EventMail.EventStore;
using EventMail.Host.Http.Admin.Jobs;
using EventMail.Host.Http.Admin.Resources;
using EventMail.Host.Moving.Backup;
using EventMail.Projections.Accounts;
using EventMail.Projections.Deliveries;
using EventMail.Projections.History;
using EventMail.Projections.Retention;
using ConnectionListDocument = EventMail.Host.Http.Capture.ConnectionListDocument;

namespace EventMail.Host.Http.Admin;

/// <summary>The JSON of the admin API: what it does not know it does not take.</summary>
[JsonSerializable(typeof(JsonObject))]
[JsonSerializable(typeof(Page<AccountSummaryDocument>))]
[JsonSerializable(typeof(AccountDocument))]
[JsonSerializable(typeof(NewAccountDocument))]
[JsonSerializable(typeof(OpenedAccountDocument))]
[JsonSerializable(typeof(ReasonDocument))]
[JsonSerializable(typeof(NewPasswordDocument))]
[JsonSerializable(typeof(PasswordDocument))]
[JsonSerializable(typeof(QuotaDocument))]
[JsonSerializable(typeof(AppPasswordListDocument))]
[JsonSerializable(typeof(NewAppPasswordDocument))]
[JsonSerializable(typeof(IssuedAppPasswordDocument))]
[JsonSerializable(typeof(SendAsDocument))]
[JsonSerializable(typeof(AppPasswordEntry))]
[JsonSerializable(typeof(AuditReadsDocument))]
[JsonSerializable(typeof(AuditedReadsDocument))]
[JsonSerializable(typeof(SaveSentDocument))]
[JsonSerializable(typeof(AclDocument))]
[JsonSerializable(typeof(RightsDocument))]
[JsonSerializable(typeof(Page<DomainDocument>))]
[JsonSerializable(typeof(DomainDocument))]
[JsonSerializable(typeof(NewDomainDocument))]
[JsonSerializable(typeof(DkimKeyListDocument))]
[JsonSerializable(typeof(DkimKeyDocument))]
[JsonSerializable(typeof(NewDkimKeyDocument))]
[JsonSerializable(typeof(Page<AliasDocument>))]
[JsonSerializable(typeof(AliasDocument))]
[JsonSerializable(typeof(MailboxListDocument))]
[JsonSerializable(typeof(MailboxDocument))]
[JsonSerializable(typeof(NewMailboxDocument))]
[JsonSerializable(typeof(Page<MessageDocument>))]
[JsonSerializable(typeof(MessageDocument))]
[JsonSerializable(typeof(FlagChangeDocument))]
[JsonSerializable(typeof(MoveDocument))]
[JsonSerializable(typeof(MovedDocument))]
[JsonSerializable(typeof(Page<HistoryEntry>))]
[JsonSerializable(typeof(Page<QueueDocument>))]
[JsonSerializable(typeof(DeliveryReport))]
[JsonSerializable(typeof(ConnectionListDocument))]
[JsonSerializable(typeof(ProjectionListDocument))]
[JsonSerializable(typeof(JobDocument))]
[JsonSerializable(typeof(JobListDocument))]
[JsonSerializable(typeof(NewRestoreDocument))]
[JsonSerializable(typeof(RestoreDocument))]
[JsonSerializable(typeof(NewUndoDocument))]
[JsonSerializable(typeof(UndoDocument))]
[JsonSerializable(typeof(DifferenceListDocument))]
[JsonSerializable(typeof(NewBuildDocument))]
[JsonSerializable(typeof(BuiltDocument))]
[JsonSerializable(typeof(NewFillDocument))]
[JsonSerializable(typeof(FilledDocument))]
[JsonSerializable(typeof(NewRollbackDocument))]
[JsonSerializable(typeof(NewVerificationDocument))]
[JsonSerializable(typeof(VerificationDocument))]
[JsonSerializable(typeof(Page<CheckpointDocument>))]
[JsonSerializable(typeof(NewAuditDocument))]
[JsonSerializable(typeof(NewContinuationDocument))]
[JsonSerializable(typeof(AuditDocument))]
[JsonSerializable(typeof(QueueChoiceDocument))]
[JsonSerializable(typeof(QueueSweptDocument))]
[JsonSerializable(typeof(DomainCheckListDocument))]
[JsonSerializable(typeof(WebhookListDocument))]
[JsonSerializable(typeof(WebhookDocument))]
[JsonSerializable(typeof(NewWebhookDocument))]
[JsonSerializable(typeof(AddedWebhookDocument))]
[JsonSerializable(typeof(Page<DeadLetterDocument>))]
[JsonSerializable(typeof(CountDocument))]
[JsonSerializable(typeof(ApiKeyListDocument))]
[JsonSerializable(typeof(RetentionDocument))]
[JsonSerializable(typeof(NewRetentionDocument))]
[JsonSerializable(typeof(NewReleaseDocument))]
[JsonSerializable(typeof(RetentionRun))]
[JsonSerializable(typeof(HoldListDocument))]
[JsonSerializable(typeof(HoldChangeDocument))]
[JsonSerializable(typeof(Page<ErasureDocument>))]
[JsonSerializable(typeof(ContinuedErasuresDocument))]
[JsonSerializable(typeof(NewStrangersErasureDocument))]
[JsonSerializable(typeof(ErasedStrangersDocument))]
[JsonSerializable(typeof(BackupDocument))]
[JsonSerializable(typeof(TakenBackupDocument))]
[JsonSerializable(typeof(BackupVerified))]
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true,
    MaxDepth = MaxDepth, AllowDuplicateProperties = false, UseStringEnumConverter = true)]
internal sealed partial class ApiJson : JsonSerializerContext
{
    /// <summary>Levels of what is sent to us.</summary>
    public const int MaxDepth = 16;

    /// <summary>For answers. Letters as they are: it is never put into a page, and the answers say nosniff.</summary>
    public static ApiJson Plain { get; } = new(new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter<ReadModelSource>() },
    });
}
