"""tell feedback from suggestions by the door it came through."""

from alembic import op

revision = "2026112213"
down_revision = "2026112207"
branch_labels = None
depends_on = None

DOORS = "origin in ('public', 'feedback', 'partner', 'connector')"
OLD_DOORS = "origin in ('public', 'partner', 'connector')"


def upgrade() -> None:
    """Name the door, of what is there too."""
    op.drop_constraint(op.f("ck_proposals_origin"), "proposals", type_="check")
    op.execute("update proposals set origin = 'feedback' where kind = 'report' and origin = 'public'")
    op.create_check_constraint(op.f("ck_proposals_origin"), "proposals", DOORS)


def downgrade() -> None:
    """One public door again."""
    op.drop_constraint(op.f("ck_proposals_origin"), "proposals", type_="check")
    op.execute("update proposals set origin = 'public' where origin = 'feedback'")
    op.create_check_constraint(op.f("ck_proposals_origin"), "proposals", OLD_DOORS)
