"""create the directory."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "2026112001"
down_revision = None
branch_labels = None
depends_on = None


EXTENSIONS = ("pg_trgm", "unaccent")

# One spelling for comparing names: no accents, apostrophes, punctuation or capitals. Text without a Latin
# letter or digit stays as it is, in lower case. The two-argument unaccent() names its dictionary, which is
# what makes the whole immutable in truth, so that indexes may rest on it.
FOLD = """
create function fold(value text) returns text
language sql immutable strict parallel safe
return coalesce(
  nullif(btrim(regexp_replace(
    replace(lower(unaccent('unaccent'::regdictionary, value)), '''', ''), '[^a-z0-9]+', ' ', 'g')), ''),
  lower(value))
"""

# English stems over words without accents: "Peña" finds "Pena", "shelters" finds "shelter".
TEXT_SEARCH = "create text search configuration vibe4vets (copy = english)"
UNACCENTED = """
alter text search configuration vibe4vets
  alter mapping for hword, hword_part, word with unaccent, english_stem
"""

# Counting the terms of a million resources takes seconds, so the counts are kept: by triggers, in the
# transaction that publishes, whoever writes. Sorted, so that two publications lock them in one order.
COUNT_TERMS = """
create function count_terms_after_OPERATION() returns trigger language plpgsql as $$
begin
  insert into published_terms as kept (kind, value, uses)
  select kind, value, sum(change)
  from (CHANGES) rows cross join lateral (
    select 'category', unnest(categories) union all select 'tag', unnest(tags)
    union all select 'state', unnest(states)
  ) term(kind, value)
  group by kind, value having sum(change) <> 0
  order by kind, value
  on conflict (kind, value) do update set uses = kept.uses + excluded.uses;
  return null;
end $$
"""
COUNT_TERMS_AFTER = """
create trigger count_terms_after_OPERATION after OPERATION on published_resources
REFERENCING for each statement execute function count_terms_after_OPERATION()
"""
GAINED = "select 1 as change, categories, tags, states from gained"
LOST = "select -1 as change, categories, tags, states from lost"
COUNTED = {
    "insert": ("referencing new table as gained", GAINED),
    "update": ("referencing new table as gained old table as lost", f"{GAINED} union all {LOST}"),
    "delete": ("referencing old table as lost", LOST),
}


def upgrade() -> None:
    """Create the directory."""
    for extension in EXTENSIONS:
        op.execute(f"create extension if not exists {extension}")
    for statement in (FOLD, TEXT_SEARCH, UNACCENTED):
        op.execute(statement)
    op.create_table(
        "connector_runs",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("connector", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column(
            "state",
            sa.Enum("running", "succeeded", "failed", "interrupted", name="runstate", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("created", sa.Integer(), nullable=False),
        sa.Column("updated", sa.Integer(), nullable=False),
        sa.Column("published", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("withheld", sa.Integer(), nullable=False),
        sa.Column("quarantined", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(length=500), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(state = 'running') = (finished_at is null)", name=op.f("ck_connector_runs_finished")),
        sa.CheckConstraint(
            "state in ('running', 'succeeded', 'failed', 'interrupted')", name=op.f("ck_connector_runs_state")
        ),
        sa.CheckConstraint(
            "least(created, updated, published, unchanged, withheld, quarantined) >= 0",
            name=op.f("ck_connector_runs_counts"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connector_runs")),
    )
    op.create_table(
        "sources",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("slug", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("tier", sa.SmallInteger(), nullable=False),
        sa.Column("url", sa.String(length=2000), nullable=True),
        sa.Column("licence", sa.String(length=200), nullable=True),
        sa.Column("attribution", sa.String(length=500), nullable=True),
        sa.CheckConstraint("slug ~ '^[a-z0-9]+([_-][a-z0-9]+)*$'", name=op.f("ck_sources_slug")),
        sa.CheckConstraint("tier between 1 and 4", name=op.f("ck_sources_tier")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sources")),
        sa.UniqueConstraint("slug", name="uq_sources_slug"),
    )
    op.create_table(
        "organizations",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("name_key", sa.String(length=300), nullable=False),
        sa.Column("website", sa.String(length=2000), nullable=True),
        sa.CheckConstraint("name <> '' and name_key <> ''", name=op.f("ck_organizations_named")),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name=op.f("fk_organizations_source_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organizations")),
        sa.UniqueConstraint("source_id", "name_key", name="uq_organizations_source_id_name_key"),
    )
    op.create_table(
        "quarantined_records",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=2000), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=True),
        sa.Column("source_record_id", sa.String(length=200), nullable=True),
        sa.Column("content", sa.Text(), nullable=False),
        sa.CheckConstraint("line >= 1", name=op.f("ck_quarantined_records_line")),
        sa.ForeignKeyConstraint(
            ["run_id"], ["connector_runs.id"], name=op.f("fk_quarantined_records_run_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantined_records")),
    )
    op.create_index(op.f("ix_quarantined_records_run_id"), "quarantined_records", ["run_id"], unique=False)
    op.create_table(
        "staged_records",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("source_record_id", sa.String(length=200), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("provenance", sa.String(length=1000), nullable=True),
        sa.Column(
            "outcome",
            sa.Enum(
                "created",
                "updated",
                "published",
                "unchanged",
                "withheld",
                "quarantined",
                name="outcome",
                native_enum=False,
                length=32,
            ),
            nullable=True,
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["connector_runs.id"], name=op.f("fk_staged_records_run_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "line", name=op.f("pk_staged_records")),
        prefixes=["UNLOGGED"],
    )
    op.create_index(
        "ix_staged_records_identity", "staged_records", ["run_id", "source", "source_record_id"], unique=False
    )
    op.create_table(
        "resources",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("source_record_id", sa.String(length=200), nullable=False),
        sa.Column("source_url", sa.String(length=2000), nullable=True),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column(
            "status",
            sa.Enum("draft", "published", "archived", name="status", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("summary", sa.String(length=500), nullable=True),
        sa.Column("description", sa.String(length=10000), nullable=False),
        sa.Column("eligibility", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("how_to_apply", sa.String(length=5000), nullable=True),
        sa.Column("categories", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("tags", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column(
            "scope",
            sa.Enum("national", "state", "local", name="scope", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("states", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("phone", sa.String(length=16), nullable=True),
        sa.Column("phone_extension", sa.String(length=8), nullable=True),
        sa.Column("email", sa.String(length=320), nullable=True),
        sa.Column("website", sa.String(length=2000), nullable=True),
        sa.Column("hours_text", sa.String(length=1000), nullable=True),
        sa.Column("hours_weekly", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("languages", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("cost", sa.String(length=500), nullable=True),
        sa.Column("as_of", sa.Date(), nullable=True),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "array_to_string(languages, ' ') ~ '^([a-z]{2,3}( [a-z]{2,3})*)?$'",
            name=op.f("ck_resources_languages"),
        ),
        sa.CheckConstraint(
            "array_to_string(tags, ' ') ~ '^([a-z0-9]+(-[a-z0-9]+)*( [a-z0-9]+(-[a-z0-9]+)*)*)?$' and cardinality(tags) <= 100",
            name=op.f("ck_resources_tags"),
        ),
        sa.CheckConstraint(
            "categories <@ string_to_array('employment,training,housing,legal,food,benefits,mental_health,support_services,healthcare,education,financial,family', ',') and cardinality(categories) between 1 and 12",
            name=op.f("ck_resources_categories"),
        ),
        sa.CheckConstraint("phone ~ '^(\\+[1-9][0-9]{6,14}|[0-9]{3})$'", name=op.f("ck_resources_phone")),
        sa.CheckConstraint(
            "phone_extension is null or (phone is not null and phone_extension ~ '^[0-9]{1,8}$')",
            name=op.f("ck_resources_phone_extension"),
        ),
        sa.CheckConstraint("scope in ('national', 'state', 'local')", name=op.f("ck_resources_scope")),
        sa.CheckConstraint(
            "states <@ string_to_array('AK,AL,AR,AS,AZ,CA,CO,CT,DC,DE,FL,GA,GU,HI,IA,ID,IL,IN,KS,KY,LA,MA,MD,ME,MI,MN,MO,MP,MS,MT,NC,ND,NE,NH,NJ,NM,NV,NY,OH,OK,OR,PA,PR,RI,SC,SD,TN,TX,UT,VA,VI,VT,WA,WI,WV,WY', ',')",
            name=op.f("ck_resources_states"),
        ),
        sa.CheckConstraint("status in ('draft', 'published', 'archived')", name=op.f("ck_resources_status")),
        sa.CheckConstraint("title <> ''", name=op.f("ck_resources_titled")),
        sa.CheckConstraint("website ~* '^https?://'", name=op.f("ck_resources_website")),
        sa.CheckConstraint("cardinality(eligibility) <= 50", name=op.f("ck_resources_eligibility")),
        sa.CheckConstraint(
            "hours_weekly is null or jsonb_array_length(hours_weekly) = 7",
            name=op.f("ck_resources_hours_weekly"),
        ),
        sa.CheckConstraint("version >= 1", name=op.f("ck_resources_version")),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name=op.f("fk_resources_organization_id")),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name=op.f("fk_resources_source_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resources")),
        sa.UniqueConstraint("source_id", "source_record_id", name="uq_resources_source_id_source_record_id"),
    )
    op.create_index(op.f("ix_resources_organization_id"), "resources", ["organization_id"], unique=False)
    op.create_table(
        "locations",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=True),
        sa.Column("street", sa.String(length=300), nullable=True),
        sa.Column("city", sa.String(length=100), nullable=True),
        sa.Column("county", sa.String(length=100), nullable=True),
        sa.Column("state", sa.String(length=2), nullable=True),
        sa.Column("postal_code", sa.String(length=10), nullable=True),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("time_zone", sa.String(length=64), nullable=True),
        sa.CheckConstraint("postal_code ~ '^[0-9]{5}(-[0-9]{4})?$'", name=op.f("ck_locations_postal_code")),
        sa.CheckConstraint(
            "state = any(string_to_array('AK,AL,AR,AS,AZ,CA,CO,CT,DC,DE,FL,GA,GU,HI,IA,ID,IL,IN,KS,KY,LA,MA,MD,ME,MI,MN,MO,MP,MS,MT,NC,ND,NE,NH,NJ,NM,NV,NY,OH,OK,OR,PA,PR,RI,SC,SD,TN,TX,UT,VA,VI,VT,WA,WI,WV,WY', ','))",
            name=op.f("ck_locations_state"),
        ),
        sa.CheckConstraint("(latitude is null) = (longitude is null)", name=op.f("ck_locations_coordinates_in_pairs")),
        sa.CheckConstraint("latitude between -90 and 90", name=op.f("ck_locations_latitude")),
        sa.CheckConstraint("longitude between -180 and 180", name=op.f("ck_locations_longitude")),
        sa.CheckConstraint("position >= 0", name=op.f("ck_locations_position")),
        sa.ForeignKeyConstraint(
            ["resource_id"], ["resources.id"], name=op.f("fk_locations_resource_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_locations")),
        sa.UniqueConstraint("resource_id", "position", name="uq_locations_resource_id_position"),
    )
    op.create_table(
        "published_resources",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("document_version", sa.SmallInteger(), nullable=False),
        sa.Column("etag", sa.String(length=64), nullable=False),
        sa.Column("search", postgresql.TSVECTOR(), nullable=False),
        sa.Column("title_key", sa.Text(collation="C"), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("categories", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("tags", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("states", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("languages", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("cities", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column(
            "scope",
            sa.Enum("national", "state", "local", name="scope", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("trust_score", sa.Double(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["id"], ["resources.id"], name=op.f("fk_published_resources_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_published_resources_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_published_resources")),
    )
    op.create_index(
        "ix_published_resources_filters",
        "published_resources",
        ["categories", "tags", "states", "languages", "cities"],
        unique=False,
        postgresql_using="gin",
    )
    op.create_index(
        "ix_published_resources_organization",
        "published_resources",
        ["organization_id", "trust_score", "id"],
        unique=False,
    )
    op.create_index(
        "ix_published_resources_search",
        "published_resources",
        ["search"],
        unique=False,
        postgresql_using="gin",
    )
    op.create_index(
        "ix_published_resources_source", "published_resources", ["source", "trust_score", "id"], unique=False
    )
    op.create_index("ix_published_resources_title", "published_resources", ["title_key", "id"], unique=False)
    op.create_index("ix_published_resources_trust", "published_resources", ["trust_score", "id"], unique=False)
    op.create_index("ix_published_resources_updated", "published_resources", ["updated_at", "id"], unique=False)
    op.create_table(
        "source_records",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("source_record_id", sa.String(length=200), nullable=False),
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("provenance", sa.String(length=1000), nullable=True),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["resource_id"], ["resources.id"], name=op.f("fk_source_records_resource_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["connector_runs.id"], name=op.f("fk_source_records_run_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source_records")),
        sa.UniqueConstraint("source", "source_record_id", name="uq_source_records_source_source_record_id"),
    )
    op.create_index(op.f("ix_source_records_resource_id"), "source_records", ["resource_id"], unique=False)
    op.create_index(op.f("ix_source_records_run_id"), "source_records", ["run_id"], unique=False)
    op.create_table(
        "published_terms",
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("value", sa.Text(collation="C"), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.CheckConstraint("kind in ('category', 'tag', 'state')", name=op.f("ck_published_terms_kind")),
        sa.PrimaryKeyConstraint("kind", "value", name=op.f("pk_published_terms")),
    )
    for operation, (referencing, changes) in COUNTED.items():
        function = COUNT_TERMS.replace("OPERATION", operation).replace("CHANGES", changes)
        trigger = COUNT_TERMS_AFTER.replace("OPERATION", operation).replace("REFERENCING", referencing)
        op.execute(function)
        op.execute(trigger)
    op.create_table(
        "withdrawn_resources",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("successor_id", sa.Uuid(), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["id"], ["resources.id"], name=op.f("fk_withdrawn_resources_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["successor_id"],
            ["resources.id"],
            name=op.f("fk_withdrawn_resources_successor_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_withdrawn_resources")),
    )


def downgrade() -> None:
    """Drop the directory; the extensions stay, for others may use them."""
    op.drop_table("withdrawn_resources")
    for operation in COUNTED:
        op.execute(f"drop trigger count_terms_after_{operation} on published_resources")
        op.execute(f"drop function count_terms_after_{operation}()")
    op.drop_table("published_terms")
    op.drop_index(op.f("ix_source_records_run_id"), table_name="source_records")
    op.drop_index(op.f("ix_source_records_resource_id"), table_name="source_records")
    op.drop_table("source_records")
    op.drop_index("ix_published_resources_updated", table_name="published_resources")
    op.drop_index("ix_published_resources_trust", table_name="published_resources")
    op.drop_index("ix_published_resources_title", table_name="published_resources")
    op.drop_index("ix_published_resources_source", table_name="published_resources")
    op.drop_index("ix_published_resources_search", table_name="published_resources", postgresql_using="gin")
    op.drop_index("ix_published_resources_organization", table_name="published_resources")
    op.drop_index("ix_published_resources_filters", table_name="published_resources", postgresql_using="gin")
    op.drop_table("published_resources")
    op.drop_table("locations")
    op.drop_index(op.f("ix_resources_organization_id"), table_name="resources")
    op.drop_table("resources")
    op.drop_index("ix_staged_records_identity", table_name="staged_records")
    op.drop_table("staged_records")
    op.drop_index(op.f("ix_quarantined_records_run_id"), table_name="quarantined_records")
    op.drop_table("quarantined_records")
    op.drop_table("organizations")
    op.drop_table("sources")
    op.drop_table("connector_runs")
    op.execute("drop text search configuration vibe4vets")
    op.execute("drop function fold(text)")
